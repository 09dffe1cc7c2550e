import type * as systemErrors from './systemErrors.ts';

// Replaces ./systemErrors.ts in bundles for browsers, by the field `browser` of package.json.

export const codeOf: typeof systemErrors.codeOf = () => undefined;

export const factsOf: typeof systemErrors.factsOf = () => ({});

export const isNeverConnected: typeof systemErrors.isNeverConnected = () => false;

export const adviceFor: typeof systemErrors.adviceFor = () => undefined;
