import { filter, type OperatorFunction } from 'rxjs';
import { hasId, type MailboxEvent, type WithId } from './internal/event.ts';

/**
 * Returns an Observable that emits the events of the source that are about a folder, such as that its number
 * of unread items changed.
 *
 * `folder` is no longer optional then. Events about items are dropped, also those in a folder
 * ({@link inFolder} picks these), and so is what is about neither: `status`, and `gap` too. Who has to know of
 * gaps takes them from the same source with {@link ofType}, or puts what handles them first.
 *
 * ```
 * source:         --item--folder--gap--folder--|
 * folderEvents()  --------folder-------folder--|
 * ```
 *
 * @see {@link itemEvents}
 * @see {@link inFolder}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { folderEvents } from 'rxchange/operators';
 *
 * const events$ = of(
 *   { type: 'created', item: { id: 'AAMkA' } },
 *   { type: 'modified', folder: { id: 'AAMkInbox' }, unreadCount: 3 },
 * );
 *
 * events$.pipe(folderEvents()).subscribe((event) => console.log(event.folder.id, event.unreadCount));
 * // prints: AAMkInbox 3
 * ```
 */
export function folderEvents<Event extends MailboxEvent>(): OperatorFunction<Event, WithId<Event, 'folder'>> {
  return filter((event) => hasId(event, 'folder'));
}
