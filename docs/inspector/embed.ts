import type { Observable } from 'rxjs';
import type { InspectorRecord } from '../../lib/inspector/records.ts';
import { mountInspector as mountIn } from './mountInspector.tsx';
import type { Controls } from './ui.ts';

/** The style sheet, which the build inserts. */
declare const STYLE: string;

/**
 * Shows the records of a connection in an element of an application in development.
 *
 * It uses a shadow root, so that its style and that of the application do not meet. Returns a function that
 * removes it again.
 *
 * @param records$ Such as `inspect(ucwa)`.
 * @param controls The commands for the connection, such as a Playground. @default nothing
 */
export function mountInspector(
  element: HTMLElement,
  records$: Observable<InspectorRecord>,
  controls?: Controls,
): () => void {
  const { ownerDocument } = element;
  const host = element.appendChild(ownerDocument.createElement('div'));
  const shadow = host.attachShadow({ mode: 'open' });
  const style = shadow.appendChild(ownerDocument.createElement('style'));
  style.textContent = STYLE;
  const unmount = mountIn(shadow.appendChild(ownerDocument.createElement('div')), records$, controls);
  return () => {
    unmount();
    host.remove();
  };
}
