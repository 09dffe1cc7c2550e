import { Component } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { nameOf } from '../shared/contacts.ts';
import { board$, EMPTY_BOARD } from '../shared/streams.ts';

@Component({
  selector: 'example-board',
  template: `
    @if (board().error; as error) {
      <p role="alert">{{ error }}</p>
    }
    <ul [class.stale]="board().isStale">
      @for (contact of board().contacts; track contact.uri) {
        <li>{{ nameOf(contact.uri) }} {{ contact.availability ?? 'unknown' }}</li>
      }
    </ul>
  `,
})
export class Board {
  readonly nameOf = nameOf;
  readonly board = toSignal(board$, { initialValue: EMPTY_BOARD });
}
