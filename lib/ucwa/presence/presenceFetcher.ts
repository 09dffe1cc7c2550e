import { defer, tap } from 'rxjs';
import { HttpError } from '../../core/errors.ts';
import type { Transport } from '../../core/transport/transport.ts';
import { type ContactRel, fieldsIn, type ResourceFields } from './contactState.ts';
import type { PresenceStore } from './presenceStore.ts';
import { absolute } from '../protocol/href.ts';
import type { RequestQueue } from './requestQueue.ts';
import { requestJson } from '../protocol/request.ts';
import { embeddedIn, hrefOf, type Resource, resourceCodec } from '../protocol/resource.ts';

/** What questions are asked with, and who wants the answers. */
interface PresenceFetcherConfig {
  readonly transport: Transport;
  readonly inquiries: RequestQueue;
  readonly states: PresenceStore;
  /** The parts of the states that are wanted. */
  readonly rels: readonly ContactRel[];
  /** What relative hrefs are relative to, at present. */
  readonly base: () => string;
  /** Called when the state of a contact is another. */
  readonly changed: (key: string) => void;
}

/** Asks the server for the states of contacts, which are told apart by their keys. */
interface PresenceFetcher {
  /** Asks for a part of a state, or takes what came along, which is newer than what is being asked for. */
  part(key: string, rel: ContactRel, href: string, resource?: Resource): void;
  /** Asks a contact that is not known yet for the links to what is wanted, or takes what came along. */
  contact(key: string, href: string, resource?: Resource): void;
  /** Asks for all that there are links to once more. */
  again(): void;
  /** Whether nothing is known of where a contact is. */
  isSilent(key: string): boolean;
  /** Forgets where a contact is. */
  forget(key: string): void;
  /** Forgets where all of them are. */
  forgetAll(): void;
}

/** Keeps the links to contacts and to the parts of their states, and asks for what they lead to. */
export function presenceFetcher(config: PresenceFetcherConfig): PresenceFetcher {
  const { transport, inquiries, states, rels, base, changed } = config;
  /** By the key of the contact and `rel`. */
  const links = new Map<string, Map<string, string>>();

  const linksOf = (key: string): Map<string, string> => {
    const known = links.get(key) ?? new Map<string, string>();
    links.set(key, known);
    return known;
  };

  const tell = (key: string, isNew: boolean): void => {
    if (isNew) changed(key);
  };

  const ask = (
    [key, rel, href]: readonly [key: string, rel: string, href: string],
    use: (resource: Resource, url: string) => void,
    failed: (error: unknown) => void,
  ): void => {
    linksOf(key).set(rel, href);
    const answer$ = defer(() =>
      requestJson(transport, { method: 'GET', url: absolute(href, base()) }, resourceCodec, rel),
    );
    inquiries.enqueue(
      question(key, rel),
      answer$.pipe(
        tap(({ value, url }) => use(value, url)),
        tap({ error: failed }),
      ),
    );
  };

  const part = (key: string, rel: ContactRel, href: string, resource?: Resource): void => {
    const fields = resource === undefined ? undefined : readable(rel, resource);
    if (fields !== undefined) {
      linksOf(key).set(rel, href);
      inquiries.cancel(question(key, rel));
      tell(key, states.set(key, rel, fields));
      return;
    }
    ask(
      [key, rel, href],
      (answer) => tell(key, states.set(key, rel, fieldsIn(rel, answer))),
      (error) => {
        // A contact without a note has none: no page says how that is answered.
        const hasNone = rel !== 'contactPresence' && error instanceof HttpError && error.status === 404;
        tell(key, hasNone ? states.set(key, rel, {}) : states.setError(key, rel, error));
      },
    );
  };

  /** Asks for the parts that no event has told of in the meantime. */
  const follow = (key: string, contact: Resource, url: string): void => {
    for (const rel of rels.filter((one) => !linksOf(key).has(one))) {
      const [resource] = embeddedIn(contact, rel);
      const href = hrefOf(contact, rel);
      if (href !== undefined || resource !== undefined) part(key, rel, absolute(href ?? '', url), resource);
      else if (rel !== 'contactPresence') tell(key, states.set(key, rel, {}));
    }
    tell(key, states.clearError(key, 'contact'));
  };

  const contact = (key: string, href: string, resource?: Resource): void => {
    if (resource !== undefined && hrefOf(resource, 'contactPresence') !== undefined) {
      linksOf(key).set('contact', href);
      follow(key, resource, absolute(href, base()));
    } else if (!linksOf(key).has('contact')) {
      ask(
        [key, 'contact', href],
        (answer, url) => follow(key, answer, url),
        (error) => tell(key, states.setError(key, rels.length > 1 ? 'contact' : 'contactPresence', error)),
      );
    }
  };

  return {
    part,
    contact,
    again: () =>
      links.forEach((known, key) =>
        rels.forEach((rel) => {
          const href = known.get(rel);
          if (href !== undefined) part(key, rel, href);
        }),
      ),
    isSilent: (key) => !links.has(key),
    forget: (key) => {
      links.get(key)?.forEach((_, rel) => inquiries.cancel(question(key, rel)));
      links.delete(key);
    },
    forgetAll: () => {
      links.clear();
      inquiries.forgetAll();
    },
  };
}

function question(key: string, rel: string): string {
  return `${rel} ${key}`;
}

/** What came along can be a part of the resource only. */
function readable(rel: ContactRel, resource: Resource): ResourceFields | undefined {
  try {
    return fieldsIn(rel, resource);
  } catch {
    return undefined;
  }
}
