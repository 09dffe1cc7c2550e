import * as t from 'io-ts';
import type { HttpRequest } from '../../core/transport/transport.ts';
import { type Codec, objectCodec } from '../protocol/collections.ts';

/** What the frame tells of an answer. [Cross_domainIFRAME] */
export interface FrameAnswer {
  /** 0 where there was none. */
  readonly status: number;
  readonly responseText?: string;
  /** The header lines as they came. */
  readonly headers?: string;
}

/** Decodes a {@link FrameAnswer}: a text that is null or none is left out. */
export const FrameAnswer: Codec<FrameAnswer> = objectCodec('answer', {
  required: { status: t.number },
  optional: { responseText: t.string, headers: t.string },
});

/** A message of the frame, before its answer is checked. */
interface FrameMessage {
  readonly messageId: string;
  readonly answer: unknown;
}

/**
 * Writes a request as the frame takes it: a JSON text. [Cross_domainIFRAME]
 *
 * The verb, URL and body stand in it as they are; the frame is told not to touch the body.
 */
export function writeFrameMessage(request: HttpRequest, messageId: string): string {
  const { method, url, headers = {}, body, credentials } = request;
  const { accept, 'content-type': contentType, ...others } = headers;
  // What is undefined is left out by JSON.
  return JSON.stringify({
    ...{ type: method, url, accepts: accept, contentType, headers: others, data: body },
    processData: false,
    xhrFields: credentials === 'include' ? { withCredentials: true } : undefined,
    messageId,
  });
}

/** Reads what the frame posted; undefined where that is no answer to anything. */
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
