import { firstValueFrom, map, mergeMap, timeout } from 'rxjs';
import {
  type HttpRequest,
  type HttpResponse,
  readText,
  type Transport,
} from '../../core/transport/transport.ts';

/** A response with its text. */
export interface Exchanged extends Pick<HttpResponse, 'status' | 'headers'> {
  readonly text: string;
}

const MOST_BYTES = 262_144;
const PATIENCE_MS = 60_000;

/** Sends a request, and resolves with the whole response. */
export function exchange(transport: Transport, request: HttpRequest): Promise<Exchanged> {
  return firstValueFrom(
    transport(request).pipe(
      mergeMap((response) =>
        readText(response, 'the response', MOST_BYTES).pipe(
          map((text) => ({ status: response.status, headers: response.headers, text })),
        ),
      ),
      timeout(PATIENCE_MS),
    ),
  );
}
