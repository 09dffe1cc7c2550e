// Apart from the journal, whose codecs a program without checkpoints does not bundle.

/**
 * The identity of an application. Each value has at most 100 characters.
 *
 * @see [MS-UCWA] applications
 */
export interface ApplicationIdentity {
  readonly culture: string;
  readonly endpointId: string;
  readonly userAgent: string;
  readonly instanceId?: string | undefined;
}

/** The configured identity, and whether the caller has set its `endpointId`. */
export interface ConfiguredIdentity {
  readonly identity: ApplicationIdentity;
  readonly isEndpointGiven: boolean;
}

/** Returns whether an application with this identity matches the configured one. */
export function isConfigured(
  one: ApplicationIdentity,
  { identity, isEndpointGiven }: ConfiguredIdentity,
): boolean {
  const { culture, endpointId, userAgent, instanceId = one.instanceId } = identity;
  return (
    one.culture === culture &&
    one.userAgent === userAgent &&
    one.instanceId === instanceId &&
    (!isEndpointGiven || one.endpointId === endpointId)
  );
}

/** Returns a random id. Unlike `randomUUID`, it also works in pages without https. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
