import { expect } from 'chai';
import { HttpError, NetworkError } from '../../lib/core/errors.ts';
import { EwsError } from '../../lib/ews/protocol/errors.ts';
import { decode, encode, type ErrorClasses } from '../../lib/tabs/encoded.ts';

const request = { method: 'GET', url: 'https://pool.contoso.com/' };

/** Returns what a tab receives. */
function sent(value: unknown, classes: ErrorClasses = {}): unknown {
  return decode(structuredClone(encode(value)), classes);
}

describe('encode and decode', () => {
  it('return a value without errors as it is', () => {
    const value = new Map([['a', [{ b: new Date(0) }]]]);
    expect(encode(value)).to.deep.equal({ value, hasErrors: false });
    expect(encode(value).value).to.equal(value);
    const encoded = { value, hasErrors: false };
    expect(decode(encoded, {})).to.equal(value);
  });

  it('keep class, message, stack and fields of an error', () => {
    const error = new HttpError(503, request, { code: 'Busy', retryAfterMs: 5000 });
    const received = sent(error, { HttpError }) as HttpError;
    expect(received).to.be.instanceOf(HttpError).and.instanceOf(Error);
    const { message, stack, name, status, code, retryAfterMs, _tag } = received;
    expect({ message, stack, name, status, code, retryAfterMs, _tag }).to.deep.equal({
      ...{ message: error.message, stack: error.stack, name: 'HttpError', _tag: 'HttpError' },
      ...{ status: 503, code: 'Busy', retryAfterMs: 5000 },
    });
    expect(String(received)).to.equal(String(error));
  });

  it('keep Maps in an error', () => {
    const values = new Map([['BackOffMilliseconds', '5000']]);
    const what = { operation: 'Subscribe', url: 'https://mail.contoso.com/EWS/Exchange.asmx' };
    const error = new EwsError(what, { responseCode: 'ErrorServerBusy', values });
    expect((sent(error, { EwsError }) as EwsError).values).to.deep.equal(values);
  });

  it('keep name and fields of an error of an unknown class', () => {
    const received = sent(new NetworkError('no answer', request, { code: 'ECONNRESET' })) as NetworkError;
    expect(received).not.to.be.instanceOf(NetworkError);
    expect(received).to.be.instanceOf(Error);
    expect([received.name, received.code]).to.deep.equal(['NetworkError', 'ECONNRESET']);
  });

  it('keep the cause, and the class of a TypeError', () => {
    const received = sent(new Error('outer', { cause: new TypeError('inner') })) as Error;
    expect(received.message).to.equal('outer');
    expect(received.cause).to.be.instanceOf(TypeError).with.property('message', 'inner');
    expect(sent(new Error('alone'))).not.to.have.property('cause');
  });

  it('find errors in Maps, arrays and objects, and keep the rest', () => {
    const error = new HttpError(404, request);
    const value = new Map([['a', { failure: { errors: [error] }, date: new Date(7) }]]);
    const received = sent(value, { HttpError }) as typeof value;
    expect(received.get('a')?.failure.errors[0]).to.be.instanceOf(HttpError);
    expect(received.get('a')?.date).to.deep.equal(new Date(7));
  });

  it('leave out fields that cannot be sent', () => {
    const received = sent(Object.assign(new Error('message'), { retry: () => 1, code: 'A' }));
    expect(received).to.include({ message: 'message', code: 'A', retry: undefined });
  });
});
