/** What an application tells of itself. Each is at most 100 characters long. [applications_ref] */
export interface ApplicationIdentity {
  readonly culture: string;
  readonly endpointId: string;
  readonly userAgent: string;
  readonly instanceId?: string | undefined;
}

/** An identity, and whether its endpointId is one that the caller has given. */
export interface WantedIdentity {
  readonly identity: ApplicationIdentity;
  readonly isEndpointGiven: boolean;
}

/**
 * Whether an application that was made with this identity is the one that is wanted: what was given is the
 * same.
 */
export function isWanted(one: ApplicationIdentity, { identity, isEndpointGiven }: WantedIdentity): boolean {
  const { culture, endpointId, userAgent, instanceId = one.instanceId } = identity;
  return (
    one.culture === culture &&
    one.userAgent === userAgent &&
    one.instanceId === instanceId &&
    (!isEndpointGiven || one.endpointId === endpointId)
  );
}

/** A text that nobody else comes up with; also where a page is not secure, and has no randomUUID. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
