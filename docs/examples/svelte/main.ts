import { hydrate, mount } from 'svelte';
import '../shared/style.css';
import App from './App.svelte';

const target = document.querySelector('#app')!;
// A server may have rendered the page.
(target.hasChildNodes() ? hydrate : mount)(App, { target });
