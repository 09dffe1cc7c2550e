import { expect } from 'chai';
import { EMPTY } from 'rxjs';
import { bearer } from '../lib/core/auth/auth.ts';
import {
  releaseLedger,
  type RemoteResource,
  remoteResource,
  type Transport,
  withConcurrency,
  withRetry,
  withToken,
} from '../lib/index.ts';
import {
  autodiscovered,
  basic,
  connectExchange,
  pullNotifications,
  pushListener,
  pushNotifications,
  streamingNotifications,
} from '../lib/ews/index.ts';
import { nodeTransport } from '../lib/node/nodeTransport.ts';
import { ntlm } from '../lib/node/index.ts';
import {
  ewsSimulator,
  pushCallback,
  ucwaDiscovery,
  ucwaDomain,
  ucwaSimulator,
} from '../lib/testing/index.ts';
import { serve } from '../lib/testing/http/index.ts';
import {
  anonymousMeeting,
  batching,
  connectUcwa,
  contactPresence,
  discovered,
  groupPresence,
  password,
  publishing,
  presence,
  presenceBoard,
  xframe,
} from '../lib/ucwa/index.ts';
import {
  distinctPresence,
  retryWithBackoff,
  debounceByItem,
  toBoard,
  withResource,
} from '../operators/index.ts';

/** Callers without types. */
type Any = never;

describe('Option names', () => {
  const transport: Transport = () => EMPTY;
  const uri = 'sip:sara@contoso.com';
  const url = 'https://mail.contoso.com/EWS/Exchange.asmx';
  const at = { server: 'https://pool.contoso.com/apps', auth: bearer('secret'), transport };
  const watched = { folders: ['inbox'], events: ['newMail'] };
  const ucwa = connectUcwa(at);
  const exchange = connectExchange({ server: url, transport });
  const text = (): string => '';
  const ews = ewsSimulator();
  const lync = ucwaSimulator();

  const calls: readonly [title: string, call: (options: object) => unknown, wrong: string, right: string][] =
    [
      // rxchange
      ['withToken', (wrong) => withToken('t', wrong), 'schema', 'scheme'],
      ['withRetry', (wrong) => withRetry(wrong), 'retry', 'retries'],
      ['withConcurrency', (wrong) => withConcurrency(1, wrong), 'urgent', 'isUrgent'],
      ['a drain', (wrong) => releaseLedger().drain(wrong), 'timeout', 'timeoutMs'],
      ['a close', (wrong) => releaseLedger().close(wrong), 'timeoutMS', 'timeoutMs'],
      [
        'remoteResource',
        (wrong) => remoteResource({ ...wrong } as RemoteResource<Any, Any, Any>),
        'use$',
        'use',
      ],
      // rxchange/ucwa
      ['connectUcwa', (wrong) => connectUcwa({ ...at, ...wrong }), 'instanceID', 'instanceId'],
      ['a channel', (wrong) => connectUcwa({ ...at, channel: wrong }), 'medium', 'mediumSeconds'],
      ['batching', (wrong) => batching(wrong), 'maxPart', 'maxParts'],
      ['the retries of connectUcwa', (wrong) => connectUcwa({ ...at, retry: wrong }), 'retrys', 'retries'],
      [
        'the limits of connectUcwa',
        (wrong) => connectUcwa({ ...at, limits: wrong }),
        'redirect',
        'redirects',
      ],
      ['publishing', (wrong) => publishing(wrong), 'activity', 'activityMinutes'],
      ['setChannelParameters', (wrong) => ucwa.setChannelParameters(wrong), 'low', 'lowSeconds'],
      ['presence', (wrong) => presence(ucwa, { uris: [uri], ...wrong }), 'duration', 'durationMinutes'],
      ['contactPresence', (wrong) => contactPresence(ucwa, [uri], wrong), 'detail', 'details'],
      ['presenceBoard', (wrong) => presenceBoard(ucwa, [uri], wrong), 'grace', 'graceSeconds'],
      ['groupPresence', (wrong) => groupPresence(ucwa, { name: 'Family' }, wrong), 'onlost', 'onLost'],
      ['password', (wrong) => password({ username: 'a', password: 'b', ...wrong }), 'user', 'username'],
      ['anonymousMeeting', (wrong) => anonymousMeeting(wrong as Any), 'conferenceURI', 'conferenceUri'],
      ['discovered', (wrong) => discovered('contoso.com', wrong), 'url', 'urls'],
      ['xframe', (wrong) => xframe({ url, ...wrong }), 'timeout', 'timeoutSeconds'],
      // rxchange/ews
      [
        'connectExchange',
        (wrong) => connectExchange({ server: url, ...wrong }),
        'impersonation',
        'impersonate',
      ],
      [
        'an impersonation',
        (wrong) => connectExchange({ server: url, impersonate: wrong as Any }),
        'principal',
        'principalName',
      ],
      ['actingAs', (wrong) => exchange.actingAs(wrong as Any), 'primarySmtp', 'primarySmtpAddress'],
      ['basic', (wrong) => basic({ username: 'a', password: 'b', ...wrong }), 'pass', 'password'],
      [
        'streaming',
        (wrong) => connectExchange({ server: url, streaming: wrong }),
        'connections',
        'maxConnections',
      ],
      [
        'the retries of connectExchange',
        (wrong) => connectExchange({ server: url, retry: wrong }),
        'initial',
        'initialMs',
      ],
      [
        'the limits of connectExchange',
        (wrong) => connectExchange({ server: url, limits: wrong }),
        'dept',
        'depth',
      ],
      [
        'pullNotifications',
        (wrong) => pullNotifications(exchange, { ...watched, ...wrong } as Any),
        'event',
        'events',
      ],
      [
        'pushNotifications',
        (wrong) => pushNotifications(exchange, { ...watched, callbackUrl: url, ...wrong } as Any, EMPTY),
        'callbackURL',
        'callbackUrl',
      ],
      [
        'streamingNotifications',
        (wrong) => streamingNotifications(exchange, { ...watched, ...wrong } as Any),
        'connectionTimeout',
        'connectionMinutes',
      ],
      [
        'a folder',
        (wrong) =>
          pullNotifications(exchange, { ...watched, folders: [{ distinguished: 'inbox', ...wrong }] } as Any),
        'mailBox',
        'mailbox',
      ],
      [
        'the id of a folder',
        (wrong) => pullNotifications(exchange, { ...watched, folders: [{ id: 'a', ...wrong }] } as Any),
        'changekey',
        'changeKey',
      ],
      ['pushListener', (wrong) => pushListener(wrong), 'timeout', 'timeoutSeconds'],
      ['autodiscovered', (wrong) => autodiscovered('a@contoso.com', wrong), 'timeout', 'timeoutSeconds'],
      ['nodeTransport', (wrong) => nodeTransport(wrong), 'server', 'servername'],
      ['ntlm', (wrong) => ntlm({ username: 'a', password: 'b', ...wrong }), 'work', 'workstation'],
      // rxchange/operators
      ['debounceByItem', (wrong) => debounceByItem(1, wrong), 'longest', 'longestMs'],
      ['toBoard', (wrong) => toBoard({ contact: text, state: text, ...wrong }), 'states', 'state'],
      ['distinctPresence', (wrong) => distinctPresence(wrong), 'contacts', 'contact'],
      ['withResource', (wrong) => withResource(() => EMPTY, wrong), 'concurrent', 'concurrency'],
      ['retryWithBackoff', (wrong) => retryWithBackoff(wrong), 'counts', 'count'],
      // rxchange/testing
      ['ucwaSimulator', (wrong) => ucwaSimulator(wrong), 'medium', 'mediumSeconds'],
      ['ucwaDomain', (wrong) => ucwaDomain(wrong), 'user', 'users'],
      ['ucwaDiscovery', (wrong) => ucwaDiscovery(wrong), 'applicationsUrl', 'applications'],
      ['ewsSimulator', (wrong) => ewsSimulator(wrong), 'dialects', 'dialect'],
      ['serve', (wrong) => serve(pushCallback().transport, wrong), 'ports', 'port'],
      ['a fault', (wrong) => lync.failNext(1, { status: 503, ...wrong }), 'header', 'headers'],
      ['a refusal', (wrong) => ews.failNext(1, { error: 'ErrorServerBusy', ...wrong }), 'value', 'values'],
      ['a presence', (wrong) => lync.setPresence(uri, wrong), 'availabilty', 'availability'],
    ];
  for (const [title, call, wrong, right] of calls) {
    it(`suggests ${right} for ${wrong} in the options of ${title}`, () => {
      expect(() => call({ [wrong]: undefined })).to.throw(
        TypeError,
        new RegExp(
          `^unknown name "${wrong.replace('$', '\\$')}" in [\\w.()[\\]]+: did you mean ${right}\\?$`,
        ),
      );
    });
  }

  const noObjects: readonly [title: string, call: () => unknown, name: string, type: string][] = [
    ['retry: 3 in connectUcwa', () => connectUcwa({ ...at, retry: 3 as Any }), 'retry', 'a number'],
    [
      'retry: 3 in connectExchange',
      () => connectExchange({ server: url, retry: 3 as Any }),
      'retry',
      'a number',
    ],
    ['a list of URIs in presence', () => presence(ucwa, [uri] as Any), 'options', 'an array'],
    [
      'no options in pullNotifications',
      () => pullNotifications(exchange, undefined as Any),
      'options',
      'undefined',
    ],
    [
      'no options in streamingNotifications',
      () => streamingNotifications(exchange, undefined as Any),
      'options',
      'undefined',
    ],
    ['a secret instead of credentials', () => basic('hush' as Any), 'credentials', 'a string'],
  ];
  for (const [title, call, name, type] of noObjects) {
    it(`names the option and the type for ${title}`, () => {
      expect(call).to.throw(TypeError, `${name} must be an object, but it is ${type}`);
    });
  }
});
