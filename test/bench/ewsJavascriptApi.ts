import { peer } from './benchmark.ts';

/** As much of ews-javascript-api as the benchmarks use. */
interface EwsJavascriptApi {
  readonly ExchangeService: new (version: number) => Service;
  readonly ExchangeVersion: { readonly Exchange2013_SP1: number };
  readonly Uri: new (url: string) => object;
  readonly WebCredentials: new (name: string, password: string) => object;
  readonly FolderId: new (name: number) => object;
  readonly WellKnownFolderName: { readonly Inbox: number };
  readonly EventType: { readonly NewMail: number };
  readonly StreamingSubscriptionConnection: new (service: Service, minutes: number) => StreamingConnection;
}

interface Service {
  Url: object;
  Credentials: object;
  SubscribeToPullNotifications(
    folders: readonly object[],
    minutes: number,
    watermark: string,
    type: number,
  ): Promise<PullSubscription>;
  SubscribeToStreamingNotifications(folders: readonly object[], type: number): Promise<object>;
}

interface PullSubscription {
  Watermark: string;
  GetEvents(): Promise<{ readonly AllEvents: readonly object[] }>;
}

/** Its streaming connection. */
interface StreamingConnection {
  readonly OnNotificationEvent: ((
    sender: object,
    args: { readonly Events: readonly StreamedEvent[] },
  ) => void)[];
  readonly OnDisconnect: (() => void)[];
  AddSubscription(subscription: object): void;
  Open(): void;
}

interface StreamedEvent {
  readonly ItemId: { readonly UniqueId: string };
}

async function serviceAt(url: string): Promise<{
  readonly api: EwsJavascriptApi;
  readonly service: Service;
  readonly folders: readonly object[];
}> {
  const api = await peer<EwsJavascriptApi>('ews-javascript-api');
  const service = new api.ExchangeService(api.ExchangeVersion.Exchange2013_SP1);
  service.Url = new api.Uri(url);
  service.Credentials = new api.WebCredentials('sara', 'secret');
  return { api, service, folders: [new api.FolderId(api.WellKnownFolderName.Inbox)] };
}

/** Subscribes with ews-javascript-api; what it returns asks for the events. */
export async function pullByEwsJavascriptApi(url: string): Promise<() => Promise<number>> {
  const { api, service, folders } = await serviceAt(url);
  const subscription = await service.SubscribeToPullNotifications(folders, 30, '', api.EventType.NewMail);
  const { Watermark: first } = subscription;
  return async () => {
    const { AllEvents: events } = await subscription.GetEvents();
    subscription.Watermark = first;
    return events.length;
  };
}

/** Streams with ews-javascript-api until the stream ends, and hands on the ids of the items. */
export async function streamByEwsJavascriptApi(url: string, next: (id: string) => void): Promise<void> {
  const { api, service, folders } = await serviceAt(url);
  const subscription = await service.SubscribeToStreamingNotifications(folders, api.EventType.NewMail);
  const connection = new api.StreamingSubscriptionConnection(service, 1);
  connection.AddSubscription(subscription);
  connection.OnNotificationEvent.push((_, { Events: events }) => {
    for (const event of events) next(event.ItemId.UniqueId);
  });
  await new Promise<void>((resolve) => {
    connection.OnDisconnect.push(resolve);
    connection.Open();
  });
}
