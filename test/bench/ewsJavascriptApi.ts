import { peer } from './benchmark.ts';

/** The part of ews-javascript-api that the benchmarks and specs use. */
export interface Api {
  readonly ExchangeService: new (version: number) => Service;
  readonly ExchangeVersion: { readonly Exchange2013_SP1: number };
  readonly Uri: new (url: string) => object;
  readonly WebCredentials: new (name: string, password: string) => object;
  readonly FolderId: new (name: number) => object;
  readonly WellKnownFolderName: { readonly Inbox: number };
  readonly EventType: { readonly NewMail: number };
  readonly Folder: { Bind(service: Service, name: number): Promise<Folder> };
  readonly StreamingSubscriptionConnection: new (service: Service, minutes: number) => StreamingConnection;
}

/** The service that sends requests. */
export interface Service {
  Url: object;
  Credentials: object;
  SubscribeToPullNotifications(
    folders: readonly object[],
    minutes: number,
    watermark: string,
    type: number,
  ): Promise<PullSubscription>;
  SubscribeToStreamingNotifications(folders: readonly object[], type: number): Promise<Subscription>;
  SubscribeToPushNotifications(
    folders: readonly object[],
    url: object,
    minutes: number,
    watermark: string,
    type: number,
  ): Promise<{ readonly Id: string }>;
}

interface Folder {
  readonly Id: { readonly UniqueId: string };
  readonly DisplayName: string;
  readonly TotalCount: number;
  readonly UnreadCount: number;
}

interface Subscription {
  Unsubscribe(): Promise<void>;
}

interface PullSubscription extends Subscription {
  Watermark: string;
  readonly MoreEventsAvailable: boolean;
  GetEvents(): Promise<{ readonly AllEvents: readonly ReceivedEvent[] }>;
}

/** The streaming connection. */
interface StreamingConnection {
  readonly OnNotificationEvent: ((
    sender: object,
    args: { readonly Events: readonly ReceivedEvent[] },
  ) => void)[];
  readonly OnDisconnect: ((sender: object, args: { readonly Exception: Error | null }) => void)[];
  AddSubscription(subscription: object): void;
  Open(): void;
}

interface ReceivedEvent {
  readonly ItemId: { readonly UniqueId: string };
}

/** Connects ews-javascript-api to a server as user `sara`. */
export async function ewsJavascriptApi(url: string): Promise<{
  readonly api: Api;
  readonly service: Service;
  readonly folders: readonly object[];
}> {
  const api = await peer<Api>('ews-javascript-api');
  const service = new api.ExchangeService(api.ExchangeVersion.Exchange2013_SP1);
  service.Url = new api.Uri(url);
  service.Credentials = new api.WebCredentials('sara', 'secret');
  return { api, service, folders: [new api.FolderId(api.WellKnownFolderName.Inbox)] };
}

/** Subscribes with ews-javascript-api. The returned function requests events. */
export async function pullByEwsJavascriptApi(url: string): Promise<() => Promise<number>> {
  const { api, service, folders } = await ewsJavascriptApi(url);
  const subscription = await service.SubscribeToPullNotifications(folders, 30, '', api.EventType.NewMail);
  const { Watermark: first } = subscription;
  return async () => {
    const { AllEvents: events } = await subscription.GetEvents();
    subscription.Watermark = first;
    return events.length;
  };
}

/** Streams with ews-javascript-api until the stream ends, and emits the item ids. */
export async function streamByEwsJavascriptApi(url: string, next: (id: string) => void): Promise<void> {
  const { api, service, folders } = await ewsJavascriptApi(url);
  const subscription = await service.SubscribeToStreamingNotifications(folders, api.EventType.NewMail);
  const connection = new api.StreamingSubscriptionConnection(service, 1);
  connection.AddSubscription(subscription);
  connection.OnNotificationEvent.push((_, { Events: events }) => {
    for (const event of events) next(event.ItemId.UniqueId);
  });
  await new Promise<void>((resolve) => {
    connection.OnDisconnect.push(() => resolve());
    connection.Open();
  });
}
