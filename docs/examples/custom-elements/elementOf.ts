import { type Observable, Subscription } from 'rxjs';

type Show<Value> = (element: HTMLElement, value: Value) => void;

/** Returns a class of elements that show an Observable while they are in the document. */
export function elementOf<Value>(source$: Observable<Value>, show: Show<Value>): CustomElementConstructor {
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
