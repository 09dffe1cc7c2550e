import '@angular/compiler';
import { bootstrapApplication, provideClientHydration } from '@angular/platform-browser';
import '../shared/style.css';
import { App } from './app.ts';

// A server may have rendered the page.
const isRendered = document.querySelector('example-app')!.hasChildNodes();
const providers = isRendered ? [provideClientHydration()] : [];
bootstrapApplication(App, { providers }).catch(console.error);
