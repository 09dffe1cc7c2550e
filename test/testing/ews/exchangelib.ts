const MAILBOX =
  '<t:Mailbox><t:EmailAddress>sara@contoso.example</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType>' +
  '<t:MailboxType>Mailbox</t:MailboxType></t:Mailbox>';
const PROPERTIES = [
  'ChildFolderCount',
  'DisplayName',
  'DistinguishedFolderId',
  'EffectiveRights',
  'FolderClass',
  'FolderId',
  'ParentFolderId',
  'PermissionSet',
  'TotalCount',
  'UnreadCount',
];
const EVENTS = ['Copied', 'Created', 'Deleted', 'Modified', 'Moved', 'NewMail', 'FreeBusyChanged'];

const folder = (name: string): string =>
  `<t:DistinguishedFolderId Id="${name}">${MAILBOX}</t:DistinguishedFolderId>`;
const getFolder = (name: string): string =>
  '<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>' +
  PROPERTIES.map((property) => `<t:FieldURI FieldURI="folder:${property}"/>`).join('') +
  `</t:AdditionalProperties></m:FolderShape><m:FolderIds>${folder(name)}</m:FolderIds></m:GetFolder>`;
const subscribe = (type: string, more: string): string =>
  `<m:Subscribe><m:${type}SubscriptionRequest><t:FolderIds>${folder('inbox')}</t:FolderIds><t:EventTypes>` +
  EVENTS.map((event) => `<t:EventType>${event}Event</t:EventType>`).join('') +
  `</t:EventTypes>${more}</m:${type}SubscriptionRequest></m:Subscribe>`;

/** The first requests of exchangelib (Python) 5.6, and a part of each response that it requires. */
export const exchangelib: readonly (readonly [what: string, operation: string, expected: string])[] = [
  [
    'ConvertId, by which it sees the version',
    '<m:ConvertId DestinationFormat="EntryId"><m:SourceIds>' +
      '<t:AlternateId Id="DUMMY" Format="EwsId" Mailbox="DUMMY"/></m:SourceIds></m:ConvertId>',
    '<m:ConvertIdResponseMessage ResponseClass="Error">',
  ],
  ['GetFolder of the root', getFolder('root'), '<t:DistinguishedFolderId>root</t:DistinguishedFolderId>'],
  ['GetFolder of the inbox', getFolder('inbox'), '<t:DisplayName>Inbox</t:DisplayName>'],
  ['pull Subscribe', subscribe('Pull', '<t:Timeout>10</t:Timeout>'), '<m:Watermark>'],
  ['streaming Subscribe', subscribe('Streaming', ''), '<m:SubscriptionId>'],
  [
    'push Subscribe, which needs a way to post',
    subscribe('Push', '<t:StatusFrequency>1</t:StatusFrequency><t:URL>http://me.example/</t:URL>'),
    'ErrorInvalidPushSubscriptionUrl',
  ],
];
