/**
 * What happens on a connection, as plain records: for inspectors, logs and tests.
 *
 * @module
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
