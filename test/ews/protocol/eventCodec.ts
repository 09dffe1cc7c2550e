import * as t from 'io-ts';
import type { EwsEvent, EwsId } from '../../../lib/ews/protocol/events.ts';

const DateCodec: t.Type<Date> = new t.Type<Date>(
  'Date',
  (value): value is Date => value instanceof Date && !Number.isNaN(value.getTime()),
  (value, context) =>
    value instanceof Date && !Number.isNaN(value.getTime()) ? t.success(value) : t.failure(value, context),
  t.identity,
);

const Id: t.Type<EwsId> = t.intersection([
  t.strict({ id: t.string }),
  t.exact(t.partial({ changeKey: t.string })),
]);

const subscribed = { subscriptionId: t.string };
const about = {
  ...{ watermark: t.string, timestamp: DateCodec, timestampText: t.string },
  ...{ item: Id, folder: Id, parentFolder: Id },
};
const before = { oldItem: Id, oldFolder: Id, oldParentFolder: Id };

/** The codec of every event that a stream of notifications emits. */
export const eventCodec: t.Type<EwsEvent> = t.union([
  t.intersection([t.type({ type: t.literal('created'), ...subscribed }), t.partial(about)]),
  t.intersection([t.type({ type: t.literal('deleted'), ...subscribed }), t.partial(about)]),
  t.intersection([
    t.type({ type: t.literal('modified'), ...subscribed }),
    t.partial({ ...about, unreadCount: t.number }),
  ]),
  t.intersection([t.type({ type: t.literal('moved'), ...subscribed }), t.partial({ ...about, ...before })]),
  t.intersection([t.type({ type: t.literal('copied'), ...subscribed }), t.partial({ ...about, ...before })]),
  t.intersection([t.type({ type: t.literal('newMail'), ...subscribed }), t.partial(about)]),
  t.intersection([t.type({ type: t.literal('freeBusyChanged'), ...subscribed }), t.partial(about)]),
  t.intersection([t.type({ type: t.literal('status'), ...subscribed }), t.partial({ watermark: t.string })]),
  t.intersection([
    t.type({
      type: t.literal('gap'),
      ...subscribed,
      reason: t.keyof({
        subscriptionLost: null,
        watermarkRefused: null,
        eventsMissed: null,
        responseLost: null,
        mailboxMoved: null,
        suspended: null,
        connectionLost: null,
        unreadable: null,
      }),
    }),
    t.partial({ since: DateCodec }),
  ]),
]);
