import '@angular/compiler';
import { bootstrapApplication } from '@angular/platform-browser';
import '../shared/style.css';
import { App } from './app.ts';

bootstrapApplication(App).catch(console.error);
