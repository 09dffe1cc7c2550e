import { expect } from 'chai';
import fc from 'fast-check';
import { inspect } from 'node:util';
import {
  beforeQuery,
  codeWord,
  describeUrl,
  excerpt,
  mediaType,
  originOf,
  prose,
  UNPRINTABLE,
} from '../../lib/core/text.ts';

const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 2000 }), fc.string({ unit: 'grapheme' }));

describe('excerpt', () => {
  it('returns a short and printable text as it is', () => {
    expect(excerpt('Zu viele Anfragen: 5 → 7 😀')).to.equal('Zu viele Anfragen: 5 → 7 😀');
    expect(excerpt('x'.repeat(200))).to.equal('x'.repeat(200));
  });

  it('cuts a text after 200 characters, or at the given length', () => {
    expect(excerpt('x'.repeat(201))).to.equal(`${'x'.repeat(200)}…`);
    expect(excerpt('abc', 2)).to.equal('ab…');
  });

  for (const [name, text] of [
    ['escape sequences', '\u001b[2J'],
    ['escape sequences of one character', '\u009b2J'],
    ['line breaks', '\r\n'],
    ['line separators', '\u2028\u2029'],
    ['marks that change the direction', '\u202e\u2066\u200f'],
    ['a text that is cut within a character', '😀'.slice(0, 1)],
    ['deletions', '\b\u007f'],
  ] as const) {
    it(`replaces ${name}`, () => {
      expect(excerpt(`a${text}b`)).to.match(/^a\ufffd[\ufffd[2J]*b$/);
    });
  }

  it('is printable and bounded for any text', () => {
    fc.assert(
      fc.property(anyText, fc.nat(300), (text, longest) => {
        const quoted = excerpt(text, longest);
        expect(quoted.length).to.be.at.most(longest + 1);
        expect(quoted.replace(UNPRINTABLE, '')).to.equal(quoted);
      }),
    );
  });
});

describe('codeWord', () => {
  for (const code of ['ErrorServerBusy', 'invalid_grant', 'a:b.c-d_1', '500', 'x'.repeat(64)]) {
    it(`returns a word: ${code}`, () => {
      expect(codeWord(code)).to.equal(code);
    });
  }

  for (const code of ['', 'a b', 'a\n', 'é', '\u001b[31m', 'x'.repeat(65), 7, undefined, null, ['a']]) {
    it(`knows no code in ${inspect(code).slice(0, 20)}`, () => {
      expect(codeWord(code)).to.equal(undefined);
    });
  }
});

describe('describeUrl', () => {
  it('leaves out credentials, query and fragment', () => {
    expect(describeUrl('https://user:hush@pool.contoso.com:8443/ucwa/1?token=hush#hush')).to.equal(
      'https://pool.contoso.com:8443/ucwa/1',
    );
  });

  it('describes a URL without origin, and what is not a URL', () => {
    expect(describeUrl('urn:x?hush')).to.equal('urn:');
    expect(describeUrl('not a url?hush')).to.equal('an invalid URL');
    expect(describeUrl('')).to.equal('an invalid URL');
  });

  for (const [url, shown] of [
    ['sara:hush@mail.contoso.com/EWS', 'sara:'],
    ['foo:hush', 'foo:'],
    ['foo://sara:hush@mail/hush', 'foo:'],
    ['ftp://mail.contoso.com/hush', 'ftp:'],
    ['blob:https://sara:hush@mail/', 'blob:'],
  ] as const) {
    it(`shows only the scheme of ${url}`, () => {
      expect(describeUrl(url)).to.equal(shown);
    });
  }

  it('cuts a long path', () => {
    expect(describeUrl(`https://a.test/${'x'.repeat(5000)}`)).to.have.length(301);
  });

  it('shows nothing after the first ? or # of any text', () => {
    fc.assert(
      fc.property(fc.constantFrom('?', '#'), fc.string({ unit: 'binary' }), (mark, text) => {
        expect(describeUrl(`https://a.test/p${mark}${text}`)).to.equal('https://a.test/p');
      }),
    );
  });

  it('is printable and bounded for any text', () => {
    fc.assert(
      fc.property(fc.constantFrom('', 'https://', 'https://a.test/', 'urn:'), anyText, (start, text) => {
        const described = describeUrl(start + text);
        expect(described.length).to.be.at.most(301);
        expect(described.replace(UNPRINTABLE, '')).to.equal(described);
      }),
    );
  });
});

describe('prose', () => {
  for (const [text, quoted] of [
    [
      "The value 'https://me.test/n?key=hush&pushKey=hush' is invalid",
      "The value 'https://me.test/n?…' is invalid",
    ],
    ['GET /n?hush or "/m?hush#hush"', 'GET /n?… or "/m?…"'],
    ['/n?key=hush\nhush', '/n?…'],
    ['Why? Because', 'Why? Because'],
    ['/n??hush', '/n?…'],
  ] as const) {
    it(`returns ${quoted}`, () => {
      expect(prose(text)).to.equal(quoted);
    });
  }

  it('is printable and bounded for any text', () => {
    fc.assert(
      fc.property(fc.constantFrom('', '?', 'a?b '), anyText, (start, text) => {
        const quoted = prose(start + text);
        expect(quoted.length).to.be.at.most(201);
        expect(quoted.replace(UNPRINTABLE, '')).to.equal(quoted);
        expect(quoted).not.to.match(/\?[^\s"'<>…]/);
      }),
    );
  });
});

describe('beforeQuery', () => {
  for (const [href, path] of [
    ['/a/b?c#d', '/a/b'],
    ['/a#b?c', '/a'],
    ['/a', '/a'],
    ['?a', ''],
    ['https://a.test/{|^\\`?{|^\\`', 'https://a.test/{|^\\`'],
  ] as const) {
    it(`cuts ${href}`, () => {
      expect(beforeQuery(href)).to.equal(path);
    });
  }
});

describe('mediaType', () => {
  it('returns the type without its parameters', () => {
    expect(mediaType('text/html; charset="utf-8"')).to.equal('text/html');
    expect(mediaType(' text/html ')).to.equal('text/html');
  });

  it('says that it does not know the type', () => {
    expect(mediaType(undefined)).to.equal('unknown');
    expect(mediaType(';charset=utf-8')).to.equal('unknown');
  });

  it('cuts and replaces what no type has', () => {
    expect(mediaType(`\u001b${'x'.repeat(99)}`)).to.equal(`\ufffd${'x'.repeat(59)}…`);
  });
});

describe('originOf', () => {
  for (const [text, origin] of [
    ['https://pool.contoso.com:443/a?b#c', 'https://pool.contoso.com'],
    ['https://pool.contoso.com:8443/', 'https://pool.contoso.com:8443'],
    ['https://sara:hush@pool.contoso.com/', 'https://pool.contoso.com with credentials'],
    ['blob:https://pool.contoso.com/1', 'blob:'],
    ['blob:https://sara:hush@pool.contoso.com/', 'blob:'],
    ['sara:hush@pool.contoso.com', 'sara:'],
    ['foo://sara:hush@pool.contoso.com/hush', 'foo://pool.contoso.com with credentials'],
    ['javascript:alert(1)', 'javascript:'],
    ['https://evil.test;.contoso.com/', 'https://evil.test;.contoso.com'],
    ['https://[', 'an invalid URL'],
  ] as const) {
    it(`is ${origin} for ${text}`, () => {
      expect(originOf(text)).to.equal(origin);
    });
  }
});
