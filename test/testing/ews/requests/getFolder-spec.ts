import { expect } from 'chai';
import { ewsSimulator, type EwsSimulator } from '../../../../lib/testing/index.ts';
import { exchangelib } from '../exchangelib.ts';

const NAMESPACES =
  'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
  'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" ' +
  'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"';

function send({ transport, url }: EwsSimulator, operation: string): string {
  const body = `<s:Envelope ${NAMESPACES}><s:Body>${operation}</s:Body></s:Envelope>`;
  let text = '';
  transport({ method: 'POST', url, headers: { 'content-type': 'text/xml; charset=utf-8' }, body }).subscribe(
    ({ body$ }) => body$.subscribe((chunk) => (text += new TextDecoder().decode(chunk))),
  );
  return text;
}

const getFolder = (shape: string, ...ids: readonly string[]): string =>
  `<m:GetFolder><m:FolderShape><t:BaseShape>${shape}</t:BaseShape></m:FolderShape>` +
  `<m:FolderIds>${ids.join('')}</m:FolderIds></m:GetFolder>`;
const named = (name: string): string => `<t:DistinguishedFolderId Id="${name}"/>`;
const namesIn = (text: string): readonly string[] =>
  [...text.matchAll(/<t:DisplayName>([^<]*)/g)].map(([, name]) => name ?? '');

describe('GetFolder of the simulated Exchange server', () => {
  it('returns the inbox with its counts', () => {
    const server = ewsSimulator();
    server.createItem('inbox');
    server.deliverMail();
    const text = send(server, getFolder('Default', named('inbox')));
    expect(text)
      .to.contain(`<t:FolderId Id="${server.folderId('inbox')}" ChangeKey="`)
      .and.contain('<t:DisplayName>Inbox</t:DisplayName><t:TotalCount>2</t:TotalCount>')
      .and.contain('<t:UnreadCount>1</t:UnreadCount>');
  });

  it('returns several folders in order, each in the element of its type', () => {
    const text = send(ewsSimulator(), getFolder('Default', ...['tasks', 'calendar', 'root'].map(named)));
    expect(namesIn(text)).to.deep.equal(['Tasks', 'Calendar', '']);
    expect([...text.matchAll(/<t:(\w*Folder)>/g)].map(([, name]) => name)).to.deep.equal([
      'TasksFolder',
      'CalendarFolder',
      'Folder',
    ]);
  });

  it('returns only the id for IdOnly', () => {
    const text = send(ewsSimulator(), getFolder('IdOnly', named('inbox')));
    expect(text).to.match(/<m:Folders><t:Folder><t:FolderId [^>]*\/><\/t:Folder><\/m:Folders>/);
  });

  it('returns a created folder by its id', () => {
    const server = ewsSimulator();
    const id = server.createFolder('inbox');
    const text = send(server, getFolder('Default', `<t:FolderId Id="${id}"/>`));
    expect(text)
      .to.contain(`<t:FolderId Id="${id}"`)
      .and.contain(`<t:ParentFolderId Id="${server.folderId('inbox')}"`);
  });

  it('returns the folder of the given mailbox', () => {
    const server = ewsSimulator();
    const sara = server.mailbox('sara@contoso.example');
    const id = named('inbox').replace(
      '/>',
      '><t:Mailbox><t:EmailAddress>SARA@contoso.example</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId>',
    );
    expect(send(server, getFolder('IdOnly', id))).to.contain(sara.folderId('inbox'));
  });

  it('returns an error for each missing folder', () => {
    const text = send(ewsSimulator(), getFolder('IdOnly', named('journal'), named('inbox')));
    expect([...text.matchAll(/<m:ResponseCode>(\w+)/g)].map(([, code]) => code)).to.deep.equal([
      'ErrorFolderNotFound',
      'NoError',
    ]);
  });
});

describe('The simulated Exchange server for exchangelib', () => {
  for (const [what, operation, expected] of exchangelib) {
    it(`responds to its ${what}`, () => {
      const text = send(ewsSimulator(), operation);
      expect(text).to.contain('ServerVersionInfo').and.contain(expected);
    });
  }
});
