/**
 * Many tabs with one connection, which a worker holds.
 *
 * @module rxchange/tabs
 */
export { connectTabs, type TabEvents, type Tabs, type TabsGap, type TabsOptions } from './connectTabs.ts';
export type { ErrorClass, ErrorClasses } from './encoded.ts';
export {
  type CallTab,
  type ServedStreams,
  type StreamFunctions,
  type TabFunction,
  type TabFunctions,
} from './tabServer.ts';
export { type DefineStreams, type ServedTabs, serveTabs } from './serveTabs.ts';
