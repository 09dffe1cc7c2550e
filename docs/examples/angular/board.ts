import { Component } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { board$, EMPTY_BOARD } from '../shared/streams.ts';

@Component({
  selector: 'example-board',
  template: `
    @if (board().error; as error) {
      <p role="alert">{{ error }}</p>
    }
    <ul>
      @for (row of board().rows; track row.uri) {
        <li>{{ row.text }}</li>
      }
    </ul>
  `,
})
export class Board {
  readonly board = toSignal(board$, { initialValue: EMPTY_BOARD });
}
