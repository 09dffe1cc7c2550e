import { StrictMode } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';
import '../shared/style.css';
import { App } from './App.tsx';

const root = document.querySelector('#app')!;
const app = (
  <StrictMode>
    <App />
  </StrictMode>
);
// A server may have rendered the page.
if (root.hasChildNodes()) hydrateRoot(root, app);
else createRoot(root).render(app);
