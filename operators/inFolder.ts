import { filter, type MonoTypeOperatorFunction } from 'rxjs';
import { invalidOption } from '../lib/core/options.ts';
import { type EventId, hasType, type MailboxEvent, stringAt } from './internal/event.ts';

/**
 * Returns an Observable that emits only the events in one folder, and every `gap`.
 *
 * A move or a copy counts for both folders. A `gap` passes because the lost events may have been in this
 * folder. Events about the folder itself do not count as in it: {@link folderEvents} emits those.
 *
 * ![Marble diagram of inFolder](../docs/marbles/inFolder.svg)
 *
 * ```
 * source (by folder):  --inbox--sent--inbox→sent--gap--sent--|
 * inFolder(inbox)      --inbox--------inbox→sent--gap--------|
 * ```
 *
 * @param folder The id of the folder as the server writes it (case-sensitive), or an object with that `id`.
 * Events do not contain names such as `inbox`: get the id of that folder from the server.
 * @returns An operator. Throws a TypeError for an empty or missing id.
 *
 * @see {@link itemEvents}
 * @see {@link folderEvents}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { inFolder } from 'rxchange/operators';
 *
 * const inbox = { id: 'AAMkInbox' };
 * const archive = { id: 'AAMkArchive' };
 * const events$ = of(
 *   { type: 'created', item: { id: 'AAMkA' }, parentFolder: inbox },
 *   { type: 'created', item: { id: 'AAMkB' }, parentFolder: archive },
 *   { type: 'moved', item: { id: 'AAMkC' }, parentFolder: archive, oldParentFolder: inbox },
 * );
 *
 * events$.pipe(inFolder(inbox)).subscribe(({ type, item }) => console.log(`${type} ${item.id}`));
 * // prints: created AAMkA
 * // prints: moved AAMkC
 * ```
 */
export function inFolder<Event extends MailboxEvent>(
  folder: string | EventId,
): MonoTypeOperatorFunction<Event> {
  const id: unknown = typeof folder === 'string' ? folder : stringAt(folder, 'id');
  if (typeof id !== 'string' || id === '') {
    throw invalidOption('inFolder(folder)', folder, 'the id of a folder, not empty');
  }
  return filter(
    (event) =>
      stringAt(event, 'parentFolder', 'id') === id ||
      stringAt(event, 'oldParentFolder', 'id') === id ||
      hasType(event, ['gap']),
  );
}
