import { defer, tap } from 'rxjs';
import type { Transport } from '../../core/transport/transport.ts';
import { isNotFound } from '../protocol/failures.ts';
import { absolute } from '../protocol/href.ts';
import { requestJson } from '../protocol/request.ts';
import { embeddedIn, hrefOf, type Resource, resourceCodec } from '../protocol/resource.ts';
import { type ContactRel, fieldsIn, type ResourceFields, type PresenceStore } from './contactState.ts';
import type { RequestQueue } from './requestQueue.ts';

/** The configuration of a fetcher. */
interface FetcherConfig {
  readonly transport: Transport;
  readonly requests: RequestQueue;
  readonly states: PresenceStore;
  /** The parts of the states. */
  readonly rels: readonly ContactRel[];
  /** Returns the current base of relative hrefs. */
  readonly base: () => string;
  /** Called when the state of a contact has changed. */
  readonly changed: (key: string) => void;
}

/** Fetches the states of contacts into a store, by the keys of the contacts. */
interface PresenceFetcher {
  /** Requests a part of a state, or stores the resource that an event carried. */
  fetchPart(key: string, rel: ContactRel, href: string, resource?: Resource): void;
  /** Requests the links of a contact unless they are known, or reads them from the resource. */
  fetchContact(key: string, href: string, resource?: Resource): void;
  /** Requests all parts again whose links are known. */
  refetchAll(): void;
  /** How many contacts have a link. */
  readonly linked: number;
  /** Whether no link of a contact is known. */
  hasNoLink(key: string): boolean;
  /** Drops the links of a contact and cancels its requests. */
  remove(key: string): void;
  /** Drops all links and cancels all requests. */
  removeAll(): void;
}

/** Creates a fetcher. It keeps the links to contacts and to the parts of their states. */
export function presenceFetcher({
  transport,
  requests,
  states,
  rels,
  base,
  changed,
}: FetcherConfig): PresenceFetcher {
  /** By the key of the contact and `rel`. */
  const links = new Map<string, Map<string, string>>();

  const linksOf = (key: string): Map<string, string> => {
    const known = links.get(key) ?? new Map<string, string>();
    links.set(key, known);
    return known;
  };

  const changedIf = (isChanged: boolean, key: string): void => {
    if (isChanged) changed(key);
  };

  const request = (
    [key, rel, href]: readonly [key: string, rel: string, href: string],
    received: (resource: Resource, url: string) => void,
    failed: (error: unknown) => void,
  ): void => {
    linksOf(key).set(rel, href);
    const response$ = defer(() =>
      requestJson(transport, { method: 'GET', url: absolute(href, base()) }, resourceCodec, rel),
    );
    requests.enqueue(
      requestKey(key, rel),
      response$.pipe(
        tap(({ value, url }) => received(value, url)),
        tap({ error: failed }),
      ),
    );
  };

  const fetchPart = (key: string, rel: ContactRel, href: string, resource?: Resource): void => {
    const fields = resource === undefined ? undefined : readable(rel, resource);
    if (fields !== undefined) {
      // It is newer than a response that is outstanding.
      linksOf(key).set(rel, href);
      requests.cancel(requestKey(key, rel));
      changedIf(states.set(key, rel, fields), key);
      return;
    }
    request(
      [key, rel, href],
      (received) => changedIf(states.set(key, rel, fieldsIn(rel, received)), key),
      (error) => {
        // No page documents the response for a contact without a note.
        const hasNone = rel !== 'contactPresence' && isNotFound(error);
        changedIf(hasNone ? states.set(key, rel, {}) : states.setError(key, rel, error), key);
      },
    );
  };

  /** Fetches the parts that no event has linked to in the meantime. */
  const follow = (key: string, contact: Resource, url: string): void => {
    for (const rel of rels.filter((one) => !linksOf(key).has(one))) {
      const [resource] = embeddedIn(contact, rel);
      const href = hrefOf(contact, rel);
      if (href !== undefined || resource !== undefined)
        fetchPart(key, rel, absolute(href ?? '', url), resource);
      else if (rel !== 'contactPresence') changedIf(states.set(key, rel, {}), key);
    }
    changedIf(states.clearError(key, 'contact'), key);
  };

  const fetchContact = (key: string, href: string, resource?: Resource): void => {
    if (resource !== undefined && hrefOf(resource, 'contactPresence') !== undefined) {
      linksOf(key).set('contact', href);
      follow(key, resource, absolute(href, base()));
    } else if (!linksOf(key).has('contact')) {
      const missing = rels.length > 1 ? 'contact' : 'contactPresence';
      request(
        [key, 'contact', href],
        (received, url) => follow(key, received, url),
        (error) => changedIf(states.setError(key, missing, error), key),
      );
    }
  };

  return {
    fetchPart,
    fetchContact,
    refetchAll: () =>
      links.forEach((known, key) =>
        rels.forEach((rel) => {
          const href = known.get(rel);
          if (href !== undefined) fetchPart(key, rel, href);
        }),
      ),
    get linked() {
      return links.size;
    },
    hasNoLink: (key) => !links.has(key),
    remove: (key) => {
      links.get(key)?.forEach((_, rel) => requests.cancel(requestKey(key, rel)));
      links.delete(key);
    },
    removeAll: () => {
      links.clear();
      requests.cancelAll();
    },
  };
}

function requestKey(key: string, rel: string): string {
  return `${rel} ${key}`;
}

/** Returns what an embedded resource says; undefined if it is incomplete. */
function readable(rel: ContactRel, resource: Resource): ResourceFields | undefined {
  try {
    return fieldsIn(rel, resource);
  } catch {
    return undefined;
  }
}
