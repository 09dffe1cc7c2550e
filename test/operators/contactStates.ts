/** The shape of a contact's state. */
export interface ContactState {
  readonly uri: string;
  readonly availability?: string;
  readonly activity?: string;
  readonly deviceType?: string;
  readonly lastActive?: Date;
}

const sara = 'sip:sara@contoso.com';
const john = 'sip:john@contoso.com';

/** One state a letter, for marbles. */
export const states: Readonly<Record<'b' | 'c' | 'm' | 'o' | 'u' | 'j' | 'k' | 'x', ContactState>> = {
  /** Sara is busy, */
  b: { uri: sara, availability: 'Busy', deviceType: 'Desktop', lastActive: new Date(0) },
  /** still, */
  c: { uri: sara, availability: 'Busy', deviceType: 'Mobile', lastActive: new Date(1000) },
  /** with a meeting, */
  m: { uri: sara, availability: 'Busy', activity: 'in-a-meeting' },
  /** and online again. */
  o: { uri: sara, availability: 'Online' },
  /** She is online, spelled as another page does. */
  u: { uri: 'sip:Sara@Contoso.com', availability: 'Online' },
  /** John is busy, */
  j: { uri: john, availability: 'Busy' },
  /** and away. */
  k: { uri: john, availability: 'Away' },
  /** Nothing is known of him. */
  x: { uri: john },
};

/** Malformed input by digit; an operator must not throw for it. */
export const malformed = {
  0: null,
  1: undefined,
  2: 'sip:sara@contoso.com',
  3: 7,
  4: {},
  5: { uri: null, availability: 'Busy' },
  6: { uri: { toString: null }, availability: {} },
} as unknown as Record<string, ContactState>;
