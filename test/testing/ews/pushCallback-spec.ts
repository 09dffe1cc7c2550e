import { expect } from 'chai';
import { readText } from '../../../lib/core/transport/transport.ts';
import { pushCallback } from '../../../lib/testing/ews/pushCallback.ts';

const request = { method: 'POST', url: 'https://me.example/notified', body: 'hä?' };

describe('pushCallback', () => {
  it('passes a post to its subscriber, and the response back', () => {
    const { transport, incoming$ } = pushCallback();
    const seen: string[] = [];
    incoming$.subscribe(({ body$, respond }) => {
      body$.subscribe((chunk) => {
        respond({ status: 202, headers: { 'x-a': 'b' }, body: `${new TextDecoder().decode(chunk)} ja` });
      });
    });
    transport(request).subscribe((response) => {
      seen.push(String(response.status), response.headers.get('X-A') ?? 'none', response.url);
      readText(response, 'answer').subscribe((text) => seen.push(text));
    });
    transport({ method: 'GET', url: request.url }).subscribe(({ status }) => seen.push(String(status)));
    expect(seen).to.deep.equal(['202', 'b', request.url, 'hä? ja', '202']);
  });

  it('emits the URL with the secret in its query', () => {
    const { transport, incoming$ } = pushCallback();
    const urls: (string | undefined)[] = [];
    incoming$.subscribe(({ url }) => urls.push(url?.()));
    transport({ ...request, url: `${request.url}?pushKey=a` }).subscribe();
    expect(urls).to.deep.equal([`${request.url}?pushKey=a`]);
  });

  it('responds with 503 without a subscriber', () => {
    const { transport } = pushCallback();
    const statuses: number[] = [];
    transport(request).subscribe(({ status }) => statuses.push(status));
    expect(statuses).to.deep.equal([503]);
  });
});
