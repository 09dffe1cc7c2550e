import type { Observable } from 'rxjs';

/** Returns the values that an Observable emits synchronously, or throws its error. */
export function emittedBy<Value>(source$: Observable<Value>): Value[] {
  const values: Value[] = [];
  const ended: { error?: unknown; how: 'error' | 'complete' | 'not at all' } = { how: 'not at all' };
  source$
    .subscribe({
      next: (value) => values.push(value),
      error: (error: unknown) => Object.assign(ended, { error, how: 'error' }),
      complete: () => (ended.how = 'complete'),
    })
    .unsubscribe();
  if (ended.how === 'error') throw ended.error;
  if (ended.how === 'not at all') throw new Error('the decoder has not ended');
  return values;
}
