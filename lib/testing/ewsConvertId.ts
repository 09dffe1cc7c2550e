import { type Element, inOrder, only, SchemaViolation } from './ewsElements.ts';

/** What a ConvertId asks for. Clients send one to see the version of the server. */
export interface ConvertIdRequest {
  readonly operation: 'ConvertId';
  /** How many ids it has. */
  readonly ids: number;
}

/** Reads an `m:ConvertId`; it throws a {@link SchemaViolation}. */
export function readConvertId(element: Element): ConvertIdRequest {
  const [sourceIds] = inOrder(element, [['m:SourceIds', 1, 1]]);
  const { children } = only(sourceIds, 'one m:SourceIds');
  const stranger = children.find(({ name }) => !/^t:Alternate(PublicFolder(Item)?)?Id$/.test(name));
  if (stranger !== undefined) throw new SchemaViolation(`m:SourceIds has the element ${stranger.name}`);
  if (children.length === 0) throw new SchemaViolation('m:SourceIds has no id');
  return { operation: 'ConvertId', ids: children.length };
}
