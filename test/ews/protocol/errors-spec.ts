import { expect } from 'chai';
import { EwsError, SoapFault, statusAdviceFor } from '../../../lib/ews/protocol/errors.ts';
import type { FaultMessage } from '../../../lib/ews/protocol/messages.ts';
import { expectHarmless } from '../../support/errorTexts.ts';

const what = {
  operation: 'Subscribe',
  url: 'https://user:secret@mail.example/EWS/Exchange.asmx?token=secret',
};

const fault: FaultMessage = {
  type: 'fault',
  faultCode: 'a:ErrorServerBusy',
  faultString: 'Busy.',
  responseCode: 'ErrorServerBusy',
  message: 'The server is busy.',
  values: new Map(),
};

describe('SoapFault', () => {
  it('names the operation, the URL, the code and the reason', () => {
    expect(new SoapFault(what, fault).message).to.equal(
      'Subscribe at https://mail.example/EWS/Exchange.asmx was answered the fault ErrorServerBusy: The server is busy.',
    );
  });

  it('is identified by its tag and its name', () => {
    expect(new SoapFault(what, fault)).to.include({
      _tag: 'SoapFault',
      name: 'SoapFault',
      operation: 'Subscribe',
    });
  });

  const codes: readonly [faultCode: string, responseCode: string | undefined, code: string][] = [
    ['SOAP:Client', 'ErrorServerBusy', 'ErrorServerBusy'],
    ['a:ErrorInvalidId', undefined, 'ErrorInvalidId'],
    ['ErrorInvalidId', undefined, 'ErrorInvalidId'],
    ['SOAP:Client', undefined, 'Client'],
    ['', undefined, ''],
    ['SOAP:Client', 'Error Server Busy', 'Client'],
    ['SOAP:Cli ent', 'x'.repeat(65), ''],
    ['a:b:ErrorX', undefined, 'b:ErrorX'],
  ];
  for (const [faultCode, responseCode, code] of codes) {
    it(`has the code ${JSON.stringify(code)} from ${faultCode} and ${responseCode?.slice(0, 20) ?? 'no detail'}`, () => {
      const read: FaultMessage = {
        type: 'fault',
        faultCode,
        faultString: 'Busy.',
        values: new Map(),
        ...(responseCode === undefined ? {} : { responseCode }),
      };
      const error = new SoapFault(what, read);
      expect(error.code).to.equal(code);
      expect(error.message).to.contain('Busy.');
    });
  }

  it('finds the wait among all values', () => {
    const values = new Map([
      ['Policy', 'MaxConcurrency'],
      ['Limit', '27'],
      ['BackOffMilliseconds', '297749'],
    ]);
    const error = new SoapFault(what, { ...fault, values });
    expect(error.retryAfterMs).to.equal(297_749);
    expect(error.values).to.deep.equal(values);
  });

  it('has no wait if the value is not a number', () => {
    expect(new SoapFault(what, fault).retryAfterMs).to.equal(undefined);
    const values = new Map([['BackOffMilliseconds', 'soon']]);
    expect(new SoapFault(what, { ...fault, values }).retryAfterMs).to.equal(undefined);
  });

  it('shows the schema violation', () => {
    const values = new Map([['Violation', "The element 'x' is not allowed."]]);
    const error = new SoapFault(what, { ...fault, responseCode: 'ErrorSchemaValidation', values });
    expect(error.message).to.contain("(The element 'x' is not allowed.)");
  });

  it('shortens a long text', () => {
    const error = new SoapFault(what, { ...fault, message: 'x'.repeat(5000) });
    expect(error.message.length).to.be.below(400);
  });
});

const HARM = `\u009b2J\u202e\u2028${'x'.repeat(1_000_000)}`;

describe("The server's texts in an error", () => {
  const many = new Map(Array.from({ length: 10_000 }, (_, index) => [`Name${index}`, HARM]));
  const values = new Map([['Violation', HARM], ['a b', 'x'], [HARM, 'x'], ...many]);
  const where = { ...what, url: `https://mail.example/${HARM}` };
  const refused: readonly (readonly [string, SoapFault | EwsError])[] = [
    [
      'SoapFault',
      new SoapFault(where, { ...fault, responseCode: HARM, faultCode: HARM, message: HARM, values }),
    ],
    ['EwsError', new EwsError(where, { responseCode: HARM, messageText: HARM, values })],
    [
      'EwsError with a hint',
      new EwsError(where, { responseCode: 'ErrorInvalidPushSubscriptionUrl', messageText: HARM, values }),
    ],
  ];
  for (const [name, error] of refused) {
    it(`are printable and short: ${name}`, () => {
      expectHarmless(error);
    });

    it(`keep the first twenty values whose names are words: ${name}`, () => {
      expect([...error.values.keys()]).to.deep.equal([
        'Violation',
        ...Array.from({ length: 19 }, (_, index) => `Name${index}`),
      ]);
      expect(error.values.get('Violation')).to.have.length(201);
    });
  }

  it('keep the hint of a code whose text is long', () => {
    expect(refused[2]?.[1].message).to.match(/ What to do: the server cannot post to callbackUrl/);
  });

  it('say that there is no code, if that is not a word', () => {
    const error = new EwsError(what, { responseCode: 'a b', messageText: 'x', values: new Map() });
    expect(error.code).to.equal('');
    expect(error.message).to.match(/was answered an error without a code: x$/);
    const unnamed = new SoapFault(what, { ...fault, responseCode: 'a b', faultCode: '\u009b' });
    expect(unnamed.message).to.match(/was answered the fault: The server is busy\.$/);
  });
});

describe('EwsError', () => {
  it('says how the caller can fix a known code', () => {
    const error = new EwsError(what, {
      responseCode: 'ErrorExceededSubscriptionCount',
      messageText: 'Too many.',
      values: new Map(),
    });
    expect(error.message).to.equal(
      'Subscribe at https://mail.example/EWS/Exchange.asmx was answered ErrorExceededSubscriptionCount: Too many. ' +
        'What to do: the account has as many subscriptions as the server allows: release some, or wait until ' +
        'old ones expire.',
    );
  });

  it('has its tag, its code, and the wait', () => {
    const error = new EwsError(what, {
      responseCode: 'ErrorServerBusy',
      values: new Map([['BackOffMilliseconds', '5']]),
    });
    expect(error).to.include({
      _tag: 'EwsError',
      name: 'EwsError',
      code: 'ErrorServerBusy',
      retryAfterMs: 5,
    });
    expect(error.message).to.match(/was answered ErrorServerBusy$/);
  });
});

describe('The advice for a status', () => {
  for (const status of [401, 403, 404, 405, 407, 456]) {
    it(`exists for ${status}`, () => {
      expect(statusAdviceFor(status)).to.be.a('string');
    });
  }

  it('is missing for other statuses', () => {
    expect(statusAdviceFor(500)).to.equal(undefined);
  });
});
