/** The shape of UCWA's events, as far as the operators look at them. */
interface UcwaShape {
  readonly link: { readonly rel: string; readonly href: string; readonly title?: string };
  readonly in?: { readonly rel: string; readonly href: string };
  readonly sender: { readonly rel: string; readonly href: string };
}

export type UcwaEvent =
  | (UcwaShape & { readonly type: 'added'; readonly resource: { readonly name: string } })
  | (UcwaShape & { readonly type: 'updated' })
  | (UcwaShape & { readonly type: 'deleted' })
  | (UcwaShape & { readonly type: 'started' })
  | (UcwaShape & { readonly type: 'completed'; readonly status: 'Success' | 'Failure' })
  // Undocumented events.
  | (UcwaShape & { readonly type: string & {} });

/** The shape of EWS's events, as far as the operators look at them. */
export type EwsEvent =
  | { readonly type: 'created'; readonly item: string }
  | { readonly type: 'deleted'; readonly item: string; readonly parentFolder: string }
  | { readonly type: 'newMail'; readonly item: string }
  | { readonly type: 'gap'; readonly subscriptionId: string };

const people = { rel: 'people', href: '/ucwa/v1/people' };
const communication = { rel: 'communication', href: '/ucwa/v1/communication' };
const sara = { rel: 'contact', href: '/ucwa/v1/people/sara%40contoso.com' };
const subscribed = { rel: 'subscribedContacts', href: '/ucwa/v1/people/subscribedContacts' };

/** One event a letter, for marbles. */
export const ucwa: Readonly<Record<'a' | 'u' | 'd' | 'x' | 's' | 'c', UcwaEvent>> = {
  /** A contact was added to the subscribed ones. */
  a: { type: 'added', link: sara, in: subscribed, sender: people, resource: { name: 'Sara' } },
  /** The presence of a contact was updated. */
  u: {
    type: 'updated',
    link: { rel: 'contactPresence', href: `${sara.href}/presence` },
    in: sara,
    sender: people,
  },
  /** A contact was deleted from the subscribed ones. */
  d: { type: 'deleted', link: sara, in: subscribed, sender: people },
  /** A presence subscription was deleted: not in anything. */
  x: {
    type: 'deleted',
    link: { rel: 'presenceSubscription', href: '/ucwa/v1/presenceSubscriptions/7' },
    sender: people,
  },
  /** A call started. */
  s: {
    type: 'started',
    link: { rel: 'phoneAudioInvitation', href: '/ucwa/v1/invitations/3' },
    sender: communication,
  },
  /** A call completed. */
  c: {
    type: 'completed',
    link: { rel: 'phoneAudioInvitation', href: '/ucwa/v1/invitations/3' },
    sender: communication,
    status: 'Success',
  },
};

/** One event a letter, for marbles. */
export const ews: Readonly<Record<'n' | 'k' | 'd' | 'g', EwsEvent>> = {
  n: { type: 'newMail', item: 'AAMk1' },
  k: { type: 'created', item: 'AAMk1' },
  d: { type: 'deleted', item: 'AAMk1', parentFolder: 'inbox' },
  g: { type: 'gap', subscriptionId: 'JgBz' },
};

/** Malformed events by digit; an operator must not throw for them. */
export const malformed = {
  0: null,
  1: undefined,
  2: 'deleted',
  3: 7,
  4: {},
  5: { type: null, link: null, in: null, sender: null },
  6: { type: 7, link: 'contact', in: 'contact', sender: 'people' },
  7: { type: {}, link: {}, in: {}, sender: {} },
  8: { type: [], link: { rel: 7, href: 7 }, in: { rel: [] }, sender: { rel: {}, href: null } },
  9: { link: { href: '' }, sender: { href: 'http://[' } },
} as unknown as Record<string, UcwaEvent>;
