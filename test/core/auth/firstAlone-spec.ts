import { expect } from 'chai';
import { NEVER, of, Subject, throwError } from 'rxjs';
import { firstAlone } from '../../../lib/core/auth/firstAlone.ts';
import type { HttpResponse } from '../../../lib/core/transport/transport.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { response } from '../../support/responses.ts';

/** Requests that are answered by hand. */
function requests() {
  const first = firstAlone(({ status }) => status === 200);
  const answers: Subject<HttpResponse>[] = [];
  const send = () =>
    first
      .send(() => {
        const answer$ = new Subject<HttpResponse>();
        answers.push(answer$);
        return answer$;
      })
      .subscribe({ error: () => undefined });
  return { first, answers, send };
}

describe('goAhead', () => {
  it('sends one request, and the others once it is answered', () => {
    const { answers, send } = requests();
    for (let count = 0; count < 3; count += 1) send();
    expect(answers).to.have.length(1);
    answers[0]?.next(response(200));
    expect(answers).to.have.length(3);
    send();
    expect(answers).to.have.length(4);
  });

  it('sends the next one first after a response without the information', () => {
    const { answers, send } = requests();
    for (let count = 0; count < 3; count += 1) send();
    answers[0]?.next(response(401));
    expect(answers).to.have.length(2);
  });

  it('lets the next go ahead after an error', () => {
    const { answers, send } = requests();
    for (let count = 0; count < 3; count += 1) send();
    answers[0]?.error(new Error('broken'));
    expect(answers).to.have.length(2);
  });

  it('lets the next go ahead when the first is unsubscribed from', () => {
    const { answers, send } = requests();
    const ahead = send();
    send();
    ahead.unsubscribe();
    expect(answers).to.have.length(2);
  });

  it('lets one go ahead again after forget', () => {
    const { first, answers, send } = requests();
    send();
    answers[0]?.next(response(200));
    first.forget();
    for (let count = 0; count < 3; count += 1) send();
    expect(answers).to.have.length(2);
  });

  it('waits 30 seconds for the first, and no longer', () => {
    let sent = 0;
    inVirtualTime(() => {
      const first = firstAlone(() => true);
      first.send(() => NEVER).subscribe();
      first
        .send(() => {
          sent += 1;
          return of(response(200));
        })
        .subscribe();
      expect(sent).to.equal(0);
    });
    expect(sent).to.equal(1);
  });

  it('passes on what the request errors with', () => {
    const errors: unknown[] = [];
    firstAlone(() => true)
      .send(() => throwError(() => 'broken'))
      .subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).to.deep.equal(['broken']);
  });
});
