import { filter, type OperatorFunction } from 'rxjs';
import { hasId, type MailboxEvent, type WithId } from './internal/event.ts';

/**
 * Returns an Observable that emits only the events about a folder, such as a changed unread count.
 *
 * `folder` becomes required. Events about items are dropped, even those in the folder ({@link inFolder} emits
 * these), and so are `status` and `gap`. To handle gaps as well, take them from the same source with {@link
 * ofType}.
 *
 * ```
 * source:         --item--folder--gap--folder--|
 * folderEvents()  --------folder-------folder--|
 * ```
 *
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
