import { type Observable, Subscription } from 'rxjs';

/** Returns a class of elements that show an Observable while they are in the document. */
export function elementOf<Value>(
  source$: Observable<Value>,
  show: (element: HTMLElement, value: Value) => void,
): CustomElementConstructor {
  return class extends HTMLElement {
    #subscription = Subscription.EMPTY;
    connectedCallback(): void {
      this.#subscription = source$.subscribe((value) => show(this, value));
    }
    disconnectedCallback(): void {
      this.#subscription.unsubscribe();
    }
  };
}
