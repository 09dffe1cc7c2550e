// The TypeDoc plugin of the site: pages have the titles of their headings, and addresses like those of their files.
import { readFileSync } from 'node:fs';
import { Converter, PageEvent, StructureRouter } from 'typedoc';

/** Groups of pages, by the folder of their files; pages of other folders are about the project. */
const GROUPS = {
  'docs/guide/': { group: 'Guide', folder: 'guide/' },
  'docs/recipes/': { group: 'Recipes', folder: 'recipes/' },
  'docs/examples/': { group: 'Recipes', folder: 'examples/' },
  'docs/': { group: 'Reference', folder: 'reference/' },
};
const PROJECT = { group: 'Project', folder: 'project/' };

/** The address of a document, without its ending, by its reflection. */
const addresses = new WeakMap();

class SiteRouter extends StructureRouter {
  getIdealBaseName(reflection) {
    return addresses.get(reflection) ?? `api/${super.getIdealBaseName(reflection)}`;
  }
}

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.renderer.defineRouter('site', SiteRouter);

  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    const [, directory, name] = /^(.*\/)?(.*)$/.exec(document.name);
    const { group, folder } = GROUPS[directory] ?? PROJECT;
    addresses.set(document, folder + (name === 'README' ? 'index' : name.toLowerCase()));
    const [, title] = /^# (.*)$/m.exec(readFileSync(`${document.name}.md`, 'utf8'));
    document.name = title;
    document.frontmatter = { group };
  });

  // Documents are in the order of the configuration.
  const inOrder = (documents) => documents?.sort((one, other) => one.id - other.id);
  const sortDocuments = ({ project }) => {
    inOrder(project.documents);
    for (const { children } of project.groups ?? [])
      if (children.every((one) => one.isDocument())) inOrder(children);
  };
  app.converter.on(Converter.EVENT_RESOLVE_END, sortDocuments, -1000);

  app.renderer.on(PageEvent.END, (page) => {
    const base = '../'.repeat(page.url.split('/').length - 1);
    page.contents = page.contents
      // Links of the toolbar are the same on every page.
      .replaceAll('href="site:', `href="${base}`)
      // Browsers do not read a part of another file from a disk; icons.js adds the icons to every page.
      .replace(/href="[./]*assets\/icons\.svg#/g, 'href="#')
      .replace(/<!-- playground: (\S+) (.*?) -->/g, (_, scenario, text) =>
        playgroundLink(base, scenario, text),
      );
  });
}

function playgroundLink(base, scenario, text) {
  return `<p class="playground"><a href="${base}playground/index.html#scenario=${scenario}">${text}</a></p>`;
}
