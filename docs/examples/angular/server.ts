import '@angular/compiler';
import { bootstrapApplication, provideClientHydration } from '@angular/platform-browser';
import { provideServerRendering, renderApplication } from '@angular/platform-server';
import { App } from './app.ts';

const providers = [provideServerRendering(), provideClientHydration()];

export const renderPage = (document: string): Promise<string> =>
  renderApplication((context) => bootstrapApplication(App, { providers }, context), { document, url: '/' });
