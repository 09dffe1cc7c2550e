/** An expression to avoid, with a sentence that has it and a similar one that is good English. */
export interface Idiom {
  readonly name: string;
  readonly pattern: RegExp;
  readonly rejects: string;
  readonly allows: string;
}

/** The start of a sentence that is no question. */
const START = String.raw`(?:^|[.!?|] )(?![^.!|]*\?)`;

export const IDIOMS: readonly Idiom[] = [
  {
    name: 'tell: say "report", "emit" or "record"',
    pattern: /\b(?:told|telling|tells?)\b(?! .{0,40}\bapart\b)/i,
    rejects: 'The ledger tells it as an outcome.',
    allows: 'A SubscriptionId tells two subscriptions apart.',
  },
  {
    name: 'stand: say "is", "is emitted" or "replaces"',
    pattern: /\b(?:stands?|stood|standing)\b(?! for\b|-)/i,
    rejects: 'A `gap` stands in the stream.',
    allows: 'P-GET stands for pending GET.',
  },
  {
    name: 'anew: say "again"',
    pattern: /\banew\b/i,
    rejects: 'It is discovered anew.',
    allows: 'A new URL.',
  },
  {
    name: 'by itself: say "transient" or "on its own"',
    pattern: /\bby (?:it|them)sel(?:f|ves)\b/i,
    rejects: 'A failure that passes by itself.',
    allows: 'The server removes it on its own.',
  },
  {
    name: 'make again: say "re-create"',
    pattern: /\b(?:(?:made|creat(?:es?|ed|ing)) again|mak(?:es?|ing) (?:\w+ ){0,2}again)\b/i,
    rejects: 'The subscription is made again.',
    allows: 'The request is sent again.',
  },
  {
    name: 'behind: say "after"',
    pattern:
      /(?<!\b(?:lea(?:ves?|ving)|left|fall(?:s|en)?|lags?)\b.{0,20} )\bbehind\b(?! (?:an?|the|its) (?:[\w-]+ )?(?:proxy|proxies|firewall|balancer|gateway|link|href|URL|server|scenes)\b)/i,
    rejects: 'The events behind the watermark come again.',
    allows: 'The server is behind a reverse proxy, and the client leaves nothing behind.',
  },
  {
    name: 'headless Who: name the subject',
    pattern: new RegExp(`${START}Who(?:m|se|ever)?\\b`),
    rejects: 'Who leaves early sends nothing.',
    allows: 'Who sends the request? The subscriber who leaves last.',
  },
  {
    name: 'headless What: name the subject',
    pattern: new RegExp(`${START}What\\b`),
    rejects: 'It ends. What is left is removed.',
    allows: 'What is left on the server? Errors say what is wrong.',
  },
  {
    name: 'headless That: name the subject',
    pattern: new RegExp(
      `${START}That (?:it|they|there|nobody|nothing|one|no|the|an?|this|these|its|what|who|some)\\b`,
    ),
    rejects: 'That it is requested is saved first.',
    allows: 'That request is sent. That is why a probe is enough.',
  },
  {
    name: 'a person for a subscriber: "by who", "whoever", "somebody"',
    pattern: /\b(?:(?:of|to|for|by|from|with|only|than|but|and) who|whoever|somebody)\b/i,
    rejects: 'It is sent to who subscribed.',
    allows: 'A subscriber who unsubscribes sends nothing.',
  },
  {
    name: 'Where … for a condition: say "if" or "when"',
    pattern: new RegExp(`${START}Where\\b`),
    rejects: 'Where it has no watermark, a gap is emitted.',
    allows: 'Where is the DELETE sent? In the file where the lease is.',
  },
  {
    name: '…, where … for a condition: say "if" or "when"',
    pattern:
      /(?:[,;:(]|\b(?:also|even|only|except|but|and|or|than|as|else|so|again|not|nothing)) where (?:it|its|there|they|that|this|these|those|one|nobody|nothing|none|no|not|some|somebody|something|both|another|all|an?|the)\b/i,
    rejects: 'The events are fetched again, where there is a watermark.',
    allows: 'A gap is emitted at the position where the events are missing.',
  },
  {
    name: 'where there is, where nobody …: say "if"',
    pattern: /\bwhere (?:there|nobody|nothing|none|not|somebody|something|possible|needed|known)\b/i,
    rejects: 'The answer has an event where there is one.',
    allows: 'The folder where the specs are.',
  },
  {
    name: 'hand on, hand out: say "emit", "pass" or "return"',
    pattern: /\bhand(?:s|ed|ing)? (?:(?:it|them|this|each|all|events) )?(?:on|out)\b/i,
    rejects: 'The events are handed on as they arrive.',
    allows: 'The handover is complete.',
  },
  {
    name: 'come about, bring about: say "happen", "cause"',
    pattern: /\b(?:com(?:es?|ing)|came|br(?:ings?|inging|ought)) (?:\w+ )?about\b/i,
    rejects: 'A gap comes about when the connection breaks.',
    allows: 'A comment about the gap.',
  },
  {
    name: 'take for: say "treat as"',
    pattern:
      /\b(?:tak(?:es?|ing)|took) (?:it|them|this|that|these|those|one) for\b|\b(?:is|are|was|were|be) taken for\b/i,
    rejects: 'A 404 is taken for the end.',
    allows: 'The time that a request takes for a large mailbox.',
  },
  {
    name: 'go on: say "continue"',
    pattern: /\b(?:go|goes|going|gone|went) on\b(?! (?:the|an?|one) )/i,
    rejects: 'The others go on.',
    allows: 'Releases go on the wire first.',
  },
  {
    name: 'ask for, ask after: say "request"',
    pattern: /\bask(?:s|ed|ing)? (?:for|after)\b(?! (?:an?|the) (?:password|credentials?|permission|user))/i,
    rejects: 'The application is asked for by GET.',
    allows: 'The browser asks for a password.',
  },
  {
    name: 'what comes, what becomes of: name the thing',
    pattern:
      /\bwhat (?:comes|came|becomes|became|stands|stays|goes|went|hangs|is there|was there|is gone)\b/i,
    rejects: 'It says what becomes of the subscription.',
    allows: 'It says what happened, and what to do.',
  },
  {
    name: 'is through: say "has completed"',
    pattern: /\b(?:is|are|was|were) through\b(?! (?:an?|the|its)\b)/i,
    rejects: 'It waits until the stop is through.',
    allows: 'The way is through the proxy.',
  },
  {
    name: 'by its own clock: say "expires"',
    pattern: /\bby its own (?:clock|time)\b/i,
    rejects: 'It ends by its own clock.',
    allows: 'It has a timer of its own.',
  },
];

/** What a spec title must not start with: it is a sentence about what the code does. */
export const TITLE_IDIOMS: readonly Idiom[] = [
  {
    name: 'should: use the present tense',
    pattern: /^should\b/,
    rejects: 'should send a DELETE',
    allows: 'sends a DELETE',
  },
];
