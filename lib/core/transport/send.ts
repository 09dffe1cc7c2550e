/** A WHATWG fetch, such as that of a browser, Node's own, cross-fetch or a double of them. @inline */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A request that a fetch has sent. */
export interface PendingFetch {
  readonly response: Promise<Response>;
  /** Ends the exchange, whether the response has begun or not. */
  readonly cancel: () => void;
  /**
   * Lets other requests use the connection once the response has ended, and returns whether it has ended;
   * missing if the platform manages connections.
   */
  readonly release?: () => boolean;
  /** Closes the connection when it is released. */
  readonly discard?: () => void;
  /** Returns the server's certificate on the connection of the response, in DER. */
  readonly peerCertificate?: () => Uint8Array | undefined;
}

/** Sends a request. It never throws. */
export type Send = (url: URL, init: RequestInit) => PendingFetch;

/** Returns how to send with a fetch, which an AbortSignal cancels. */
export function abortable(fetch: Fetch): Send {
  return (url, init) => {
    const controller = new AbortController();
    // A fetch that throws is like one that rejects.
    const response = new Promise<Response>((resolve) => {
      resolve(fetch(url.href, { ...init, signal: controller.signal }));
    });
    return { response, cancel: () => controller.abort() };
  };
}
