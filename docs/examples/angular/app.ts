import { Component, signal } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { COLLEAGUES, contacts$, toggleContact, uriOf } from '../shared/contacts.ts';
import { mail$, NO_MAIL, NO_STATUS, status$ } from '../shared/streams.ts';
import { Board } from './board.ts';

@Component({
  selector: 'example-app',
  imports: [Board],
  template: `
    <p role="status">{{ status() }}</p>
    <p id="mail">{{ mail() }}</p>
    @for (name of colleagues; track name) {
      <label>
        <input type="checkbox" [checked]="contacts().includes(uriOf(name))" (change)="toggle(name)" />
        {{ name }}
      </label>
    }
    <button (click)="isShown.set(!isShown())">{{ isShown() ? 'Hide' : 'Show' }}</button>
    @if (isShown()) {
      <example-board />
    }
  `,
})
export class App {
  readonly status = toSignal(status$, { initialValue: NO_STATUS });
  readonly mail = toSignal(mail$, { initialValue: NO_MAIL });
  readonly contacts = toSignal(contacts$, { requireSync: true });
  readonly isShown = signal(true);
  readonly colleagues = COLLEAGUES;
  readonly uriOf = uriOf;
  readonly toggle = toggleContact;
}
