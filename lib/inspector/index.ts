/**
 * Plain records of everything that happens on a connection: for inspectors, logs and tests.
 *
 * @module rxchange/inspector
 */
export { inspect, type InspectOptions, type Inspectable } from './inspect.ts';
export type {
  ConnectionRecord,
  EventRecord,
  InspectedError,
  InspectorRecord,
  ReleaseRecord,
  RequestRecord,
  ServerRecord,
  ServerResource,
  StatusRecord,
  StreamRecord,
} from './records.ts';
