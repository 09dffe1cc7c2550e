import https from 'node:https';

type CreateConnection = (this: https.Agent, options: object, ...rest: unknown[]) => unknown;

/**
 * Lets all HTTPS agents trust a certificate of a spec, and returns how to end that.
 *
 * @param cert As PEM.
 */
export function trust(cert: string): () => void {
  const agent = https.Agent.prototype as unknown as { createConnection: CreateConnection };
  const { createConnection } = agent;
  agent.createConnection = function (options, ...rest) {
    return createConnection.call(this, { ...options, ca: cert }, ...rest);
  };
  return () => {
    agent.createConnection = createConnection;
  };
}
