/** What a client asks for with a request for events; the times are in seconds. */
export interface ChannelParameters {
  readonly low?: number;
  readonly medium?: number;
  readonly timeout?: number;
  readonly priority: number;
}

/** What a client may ask for; undefined where it asks for what is not allowed. [EventChannelDetails] */
export function parametersIn(query: URLSearchParams): ChannelParameters | undefined {
  const parameters: Record<string, number> = {};
  for (const [name, least] of [
    ['low', 5],
    ['medium', 5],
    ['timeout', 180],
  ] as const) {
    const text = query.get(name);
    if (text === null) continue;
    const value = Number(text);
    if (!(value >= least && value <= 1800)) return undefined;
    parameters[name] = value;
  }
  const priority = Number(query.get('priority') ?? 0);
  return Number.isInteger(priority) && priority >= 0 ? { ...parameters, priority } : undefined;
}
