import type { HttpRequest } from '../../core/transport/transport.ts';
import { type Codec, number, objectCodec, string } from '../../core/codec.ts';

/**
 * The response to a request, as the frame reports it.
 *
 * @see [MS-UCWA] Cross_domainIFRAME
 */
export interface FrameAnswer {
  /** 0 if there was no response. */
  readonly status: number;
  readonly responseText?: string;
  /** The header lines, unparsed. */
  readonly headers?: string;
}

/** Decodes a {@link FrameAnswer}; texts that are null or have another type are omitted. */
export const FrameAnswer: Codec<FrameAnswer> = objectCodec('answer', {
  required: { status: number },
  optional: { responseText: string, headers: string },
});

/** A message of the frame, before its answer is checked. */
interface FrameMessage {
  readonly messageId: string;
  readonly answer: unknown;
}

/**
 * Returns a request as the JSON text that the frame expects.
 *
 * The verb, URL and body are unchanged, and `processData: false` keeps the frame from changing the body.
 *
 * @see [MS-UCWA] Cross_domainIFRAME
 */
export function writeFrameMessage(request: HttpRequest, messageId: string): string {
  const { method, url, headers = {}, body, credentials } = request;
  const { accept, 'content-type': contentType, ...others } = headers;
  // JSON omits undefined properties.
  return JSON.stringify({
    ...{ type: method, url, accepts: accept, contentType, headers: others, data: body },
    processData: false,
    xhrFields: credentials === 'include' ? { withCredentials: true } : undefined,
    messageId,
  });
}

/** Returns the message that the frame has posted; undefined if it answers no request. */
export function readFrameMessage(data: unknown): FrameMessage | undefined {
  const answer = typeof data === 'string' ? parsed(data) : data;
  if (typeof answer !== 'object' || answer === null || !('messageId' in answer)) return undefined;
  const { messageId } = answer;
  return typeof messageId === 'string' ? { messageId, answer } : undefined;
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
