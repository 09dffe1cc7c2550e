import { filter, type OperatorFunction } from 'rxjs';
import { hasId, type MailboxEvent, type WithId } from './internal/event.ts';

/**
 * Returns an Observable that emits only the events about an item, such as a message.
 *
 * `item` becomes required. Events about folders, `status` and `gap` are dropped. To handle gaps as well, take
 * them from the same source with {@link ofType}.
 *
 * ![Marble diagram of itemEvents](../docs/marbles/itemEvents.svg)
 *
 * ```
 * source:       --item--folder--gap--item--|
 * itemEvents()  --item---------------item--|
 * ```
 *
 * @see {@link folderEvents}
 * @see {@link inFolder}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { itemEvents } from 'rxchange/operators';
 *
 * type MailEvent =
 *   | { type: 'created' | 'modified'; item?: { id: string }; folder?: { id: string } }
 *   | { type: 'status'; watermark: string };
 * const events$ = of<MailEvent[]>(
 *   { type: 'created', item: { id: 'AAMkA' } },
 *   { type: 'modified', folder: { id: 'AAMkInbox' } },
 *   { type: 'status', watermark: 'AQAA' },
 * );
 *
 * events$.pipe(itemEvents()).subscribe(({ type, item }) => console.log(`${type} ${item.id}`));
 * // prints: created AAMkA
 * ```
 */
export function itemEvents<Event extends MailboxEvent>(): OperatorFunction<Event, WithId<Event, 'item'>> {
  return filter((event) => hasId(event, 'item'));
}

/**
 * Returns an Observable that emits only the events about a folder.
 *
 * One is a changed unread count. `folder` becomes required. Events about items are dropped, even those in the
 * folder ({@link inFolder} emits these), and so are `status` and `gap`. To handle gaps as well, take them
 * from the same source with {@link ofType}.
 *
 * ![Marble diagram of folderEvents](../docs/marbles/folderEvents.svg)
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
