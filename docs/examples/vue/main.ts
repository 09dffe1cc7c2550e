import { createApp, createSSRApp } from 'vue';
import '../shared/style.css';
import App from './App.vue';

// A server may have rendered the page.
const isRendered = document.querySelector('#app')!.hasChildNodes();
(isRendered ? createSSRApp : createApp)(App).mount('#app');
