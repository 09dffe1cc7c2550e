import { expect } from 'chai';
import fc from 'fast-check';
import { lenientCodec } from '../../../lib/ucwa/protocol/events.ts';
import { isEventsResponse } from '../../../lib/ucwa/protocol/eventsResponse.ts';

/** Values that are no event, or need the codec. */
const strange = fc.constantFrom<unknown>(
  undefined,
  null,
  7,
  '',
  'text',
  [],
  {},
  [{}],
  { href: 7 },
  '/a?b=1&amp;c',
);

const oneOrList = (one: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof(one, fc.array(one, { maxLength: 2 }));

/** Mostly the valid value. */
const mostly = (usual: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: usual, weight: 40 }, { arbitrary: strange, weight: 1 });

const fields = (
  model: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  requiredKeys: string[],
): fc.Arbitrary<unknown> =>
  fc.record(Object.fromEntries(Object.entries(model).map(([key, one]) => [key, mostly(one)])), {
    requiredKeys,
  });

const text = fc.constantFrom('Online', 'a text');
const href = fc.constantFrom('/people/sara@contoso.com', 'https://pool.contoso.com/me?x=1&y=2');
const link = fields({ href, rel: text, title: text }, ['href']);
const namedLink = fields({ href, rel: text, title: text }, ['href', 'rel']);
const links = fc.dictionary(fc.constantFrom('self', 'contact'), mostly(oneOrList(link)));
const { resource } = fc.letrec((tie) => ({
  resource: fields(
    {
      rel: text,
      etag: text,
      _links: links,
      _embedded: fc.dictionary(fc.constant('contact'), oneOrList(tie('resource')), { maxKeys: 1 }),
      anything: fc.jsonValue(),
    },
    [],
  ),
}));
const reason = fields({ code: text, subcode: text, message: text, link, parameters: fc.jsonValue() }, [
  'code',
]);
const event = fields(
  {
    link: namedLink,
    type: text,
    in: namedLink,
    _embedded: fc.dictionary(fc.constant('contactPresence'), mostly(oneOrList(resource)), { maxKeys: 1 }),
    status: text,
    reason,
  },
  ['link', 'type'],
);
const sender = fields({ rel: text, href, events: fc.array(mostly(event), { maxLength: 3 }) }, [
  'rel',
  'href',
]);
const response = fields(
  {
    _links: fields({ self: link, next: link, resume: link, resync: link, other: fc.jsonValue() }, []),
    sender: fc.array(mostly(sender), { maxLength: 3 }),
  },
  ['_links'],
);

const asSent = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('isEventsResponse', () => {
  it('accepts exactly the values that the codec returns unchanged', () => {
    const said = { yes: 0, no: 0 };
    fc.assert(
      fc.property(response, (made) => {
        const sent = asSent(made);
        const decoded = lenientCodec.decode(sent);
        const isTakenAsItIs =
          decoded._tag === 'Right' && JSON.stringify(decoded.right) === JSON.stringify(sent);
        said[isTakenAsItIs ? 'yes' : 'no'] += 1;
        expect(isEventsResponse(sent)).to.equal(isTakenAsItIs);
      }),
      { numRuns: 2000 },
    );
    expect(said.yes).to.be.greaterThan(400);
    expect(said.no).to.be.greaterThan(400);
  });
});
