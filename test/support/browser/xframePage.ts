import { createContext, runInContext } from 'node:vm';
import { mergeMap } from 'rxjs';
import { readText, type Transport } from '../../../lib/core/transport/transport.ts';
import { framePage, type FramePage } from './framePage.ts';

interface Message {
  readonly data: string;
  readonly origin: string;
  readonly source: object;
}

/** Creates a page at `pageOrigin` whose frames run the script of the server's XFrame page. */
export function xframePage(server: Transport, serverOrigin: string, pageOrigin: string): FramePage {
  const page = framePage(serverOrigin);
  page.onAppend = (frame) => {
    const listeners: ((message: Message) => void)[] = [];
    server({ method: 'GET', url: frame.src })
      .pipe(mergeMap((response) => readText(response, 'the page')))
      .subscribe((html) => {
        const [, script = ''] = /<script>(.*)<\/script>/s.exec(html) ?? [];
        runInContext(
          script,
          createContext({
            addEventListener: (_: 'message', listener: (message: Message) => void) =>
              listeners.push(listener),
            location: { origin: serverOrigin },
            XMLHttpRequest: xmlHttpRequest(server),
          }),
        );
      });
    const source = { postMessage: (data: string): void => frame.answer(data) };
    Object.assign(frame.contentWindow ?? {}, {
      postMessage: (data: string) =>
        listeners.forEach((listener) => listener({ data, origin: pageOrigin, source })),
    });
    frame.fire('load');
  };
  return page;
}

/** Returns the part of `XMLHttpRequest` that the page uses, over a {@link Transport}. */
function xmlHttpRequest(server: Transport): new () => object {
  return class {
    status = 0;
    statusText = '';
    responseText = '';
    onloadend: () => void = () => undefined;
    #method = '';
    #url = '';
    #type: string | undefined;
    readonly #headers: Record<string, string> = {};

    open(method: string, url: string): void {
      // Browsers do this with the standard methods.
      this.#method = method.toUpperCase();
      this.#url = url;
    }

    setRequestHeader(name: string, value: string): void {
      this.#headers[name.toLowerCase()] = value;
    }

    getAllResponseHeaders(): string {
      return this.#type === undefined ? '' : `content-type: ${this.#type}\r\n`;
    }

    send(body?: string | null): void {
      server({
        ...{ method: this.#method, url: this.#url, headers: this.#headers },
        ...(typeof body === 'string' ? { body } : {}),
      })
        .pipe(
          mergeMap((response) => {
            this.status = response.status;
            this.#type = response.headers.get('content-type');
            return readText(response, 'the response');
          }),
        )
        .subscribe({
          next: (text) => (this.responseText = text),
          error: () => this.onloadend(),
          complete: () => this.onloadend(),
        });
    }
  };
}
