/** A posted envelope, with the prefixes of Exchange. */
export function posted(body: string): string {
  return (
    '<?xml version="1.0" encoding="utf-8"?>' +
    '<soap11:Envelope xmlns:soap11="http://schemas.xmlsoap.org/soap/envelope/"><soap11:Header>' +
    '<t:RequestServerVersion xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" Version="Exchange2013_SP1"/>' +
    `</soap11:Header><soap11:Body>${body}</soap11:Body></soap11:Envelope>`
  );
}

/** A SendNotification with a response message for each content. */
export function sendNotification(...messages: readonly string[]): string {
  return posted(
    '<m:SendNotification xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"' +
      ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><m:ResponseMessages>' +
      `${messages.join('')}</m:ResponseMessages></m:SendNotification>`,
  );
}

/** The response message with a new mail at each watermark, or a status without watermarks. */
export function postedMessage(subscriptionId: string, watermarks: readonly string[]): string {
  const events = watermarks.map(
    (watermark) =>
      `<t:NewMailEvent><t:Watermark>${watermark}</t:Watermark><t:TimeStamp>2026-11-22T04:08:58Z</t:TimeStamp>` +
      `<t:ItemId Id="I${watermark}" ChangeKey="K"/><t:ParentFolderId Id="F" ChangeKey="K"/></t:NewMailEvent>`,
  );
  return (
    '<m:SendNotificationResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>' +
    `<m:Notification><t:SubscriptionId>${subscriptionId}</t:SubscriptionId>` +
    '<t:PreviousWatermark>W0</t:PreviousWatermark><t:MoreEvents>false</t:MoreEvents>' +
    (events.length === 0 ? '<t:StatusEvent><t:Watermark>W0</t:Watermark></t:StatusEvent>' : events.join('')) +
    '</m:Notification></m:SendNotificationResponseMessage>'
  );
}

/** A SendNotification with one such response message. */
export function postedEvents(subscriptionId: string, watermarks: readonly string[]): string {
  return sendNotification(postedMessage(subscriptionId, watermarks));
}

/** A SendNotification with an error. */
export function postedError(subscriptionId: string, code: string): string {
  return sendNotification(
    '<m:SendNotificationResponseMessage ResponseClass="Error"><m:MessageText>It failed.</m:MessageText>' +
      `<m:ResponseCode>${code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>` +
      `<m:MessageXml><t:Value Name="SubscriptionId">${subscriptionId}</t:Value></m:MessageXml>` +
      '</m:SendNotificationResponseMessage>',
  );
}
