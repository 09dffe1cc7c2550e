import { filter, type MonoTypeOperatorFunction } from 'rxjs';
import { invalidOption } from '../lib/core/options.ts';
import { type EventId, hasType, type MailboxEvent, stringAt } from './internal/event.ts';

/**
 * Returns an Observable that emits the events of the source that happened in the folder with the given id.
 *
 * What was moved or copied counts for both folders, the one that it came to and the one that it came from. A
 * `gap` is emitted too: what is missing there may have happened in this folder. Everything else that does
 * not say this folder is dropped, events about the folder itself included: their `folder` is its id, and
 * {@link folderEvents} picks them.
 *
 * ```
 * source (by folder):  --inbox--sent--inbox→sent--gap--sent--|
 * inFolder(inbox)      --inbox--------inbox→sent--gap--------|
 * ```
 *
 * @param folder The id of the folder as the server writes it, case counts, or what has it as its `id`. Names
 * such as `inbox` are not in events: ask the server for the id of that folder.
 * @returns An operator. It throws a TypeError for what is no id.
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
