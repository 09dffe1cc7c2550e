import { expect } from 'chai';
import { DecodeError } from '../../../lib/core/errors.ts';
import { poxRequest, readPoxResponse } from '../../../lib/ews/discovery/pox.ts';

const settings = (protocols: string): string =>
  '<?xml version="1.0" encoding="utf-8"?>' +
  '<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">' +
  '<Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a">' +
  `<Account><AccountType>email</AccountType><Action>settings</Action>${protocols}</Account>` +
  '</Response></Autodiscover>';

describe('poxRequest', () => {
  it('follows the schema and escapes the address', () => {
    expect(poxRequest('o<h>&a@contoso.com')).to.equal(
      '<?xml version="1.0" encoding="utf-8"?>' +
        '<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request>' +
        '<EMailAddress>o&#60;h&#62;&#38;a@contoso.com</EMailAddress><AcceptableResponseSchema>' +
        'http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a' +
        '</AcceptableResponseSchema></Request></Autodiscover>',
    );
  });
});

describe('readPoxResponse', () => {
  const nothing = {
    ewsUrls: [],
    redirectUrl: undefined,
    redirectAddress: undefined,
    errorCode: undefined,
  };
  const cases: readonly (readonly [string, string, object])[] = [
    [
      'the external URL before the internal one',
      settings(
        '<Protocol><Type>EXCH</Type><Server>mbx</Server><EwsUrl>https://in/</EwsUrl></Protocol>' +
          '<Protocol><Type>EXPR</Type><EwsUrl>https://out/</EwsUrl></Protocol>',
      ),
      { ...nothing, ewsUrls: ['https://out/', 'https://in/'] },
    ],
    [
      'ASUrl without EwsUrl, and nested protocols inside WEB',
      settings(
        '<Protocol><Type>WEB</Type><External><OWAUrl>https://owa/</OWAUrl>' +
          '<Protocol><Type>EXPR</Type><ASUrl>https://out/</ASUrl></Protocol></External>' +
          '<Internal><Protocol><Type>EXCH</Type><ASUrl>https://in/</ASUrl></Protocol></Internal></Protocol>',
      ),
      { ...nothing, ewsUrls: ['https://out/', 'https://in/'] },
    ],
    [
      'types after URLs or as attributes, with unknown types last',
      settings(
        '<Protocol Type="mapiHttp" Version="1"><EwsUrl>https://last/</EwsUrl></Protocol>' +
          '<Protocol><ASUrl>https://in/</ASUrl><EwsUrl>https://in/</EwsUrl><Type>EXCH</Type></Protocol>' +
          '<Protocol><EwsUrl> https://http/ </EwsUrl><Type>exhttp</Type></Protocol>' +
          '<Protocol><Type>EXPR</Type><EwsUrl></EwsUrl></Protocol>',
      ),
      { ...nothing, ewsUrls: ['https://http/', 'https://in/', 'https://last/'] },
    ],
    ['settings without web services', settings('<Protocol><Type>IMAP</Type></Protocol>'), nothing],
    [
      'a redirect to another URL, with prefixes and CDATA',
      '<a:Autodiscover xmlns:a="x"><a:Response><a:Account><a:Action>redirectUrl</a:Action>' +
        '<a:RedirectUrl><![CDATA[https://other/?a=1&b=2]]></a:RedirectUrl></a:Account></a:Response></a:Autodiscover>',
      { ...nothing, redirectUrl: 'https://other/?a=1&b=2' },
    ],
    [
      'a redirect to another address',
      '\n<Autodiscover><Response><Account><Action>redirectAddr</Action>' +
        '<RedirectAddr>sara@mail.contoso.com</RedirectAddr></Account></Response></Autodiscover>',
      { ...nothing, redirectAddress: 'sara@mail.contoso.com' },
    ],
    [
      'an error',
      '<Autodiscover><Response><Error Time="10:47:20" Id="1"><ErrorCode>500</ErrorCode>' +
        "<Message>The email address can't be found.</Message><DebugData/></Error></Response></Autodiscover>",
      { ...nothing, errorCode: '500' },
    ],
  ];
  for (const [what, xml, expected] of cases) {
    it(`reads ${what}`, () => {
      expect(readPoxResponse(xml)).to.deep.equal(expected);
    });
  }

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['a login page', '<!DOCTYPE html><html><body>Sign in<br></body></html>', /no document type declaration/],
    ['a page in XHTML', '<html><body/></html>', /an Autodiscover element at \/html, but there is html/],
    ['what is not well-formed', '<Autodiscover><Response></Autodiscover>', /well-formed XML/],
    ['what breaks off', '<Autodiscover><Response>', /the end of the document/],
    ['what is no XML', '{"Url":"https://mail.contoso.com/"}', /well-formed XML/],
    ['nothing', '', /an Autodiscover element at the root, but there is nothing/],
    [
      'entities that grow',
      '<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><Autodiscover>&d;</Autodiscover>',
      /no document type declaration/,
    ],
    ['elements without end', `<Autodiscover>${'<a>'.repeat(40)}`, /at most 32 elements in one another/],
    ['an element with a name without end', `<${'a'.repeat(9999)}/>`, /there is a{40}…$/],
  ];
  for (const [what, xml, message] of refused) {
    it(`throws for ${what}`, () => {
      expect(() => readPoxResponse(xml)).to.throw(DecodeError, message);
    });
  }
});
