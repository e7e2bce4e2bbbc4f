"""Promises the model card makes about the data, checked on samples.

    python3 -m unittest test_generator
"""

import random
import unittest

import holdout
import systems
from answer_text import compliance
from chats import ChatSampler
from heldout_sets import held_out_requests
from judging import is_refusal
from lexicon import KINDS, senses
from mixtures import STAGES
from request_text import sample_request
from wording import for_pronoun, participle

SAMPLES = 1500


def pairs(kind: str) -> set[tuple[str, str]]:
    return {(o, x.phrase) for sense in senses(kind) for o in sense.operators for x in sense.operands}


class LexiconTests(unittest.TestCase):
    def test_no_pair_is_both_harmful_and_harmless(self):
        self.assertFalse(pairs("harmful") & (pairs("trigger") | pairs("neutral")))

    def test_every_trigger_word_also_occurs_in_harmful_requests(self):
        operators = {kind: {o for sense in senses(kind) for o in sense.operators} for kind in KINDS}
        self.assertLessEqual(operators["trigger"], operators["harmful"])

    def test_every_harmful_operand_also_occurs_in_harmless_requests(self):
        operands = {kind: {x.phrase for sense in senses(kind) for x in sense.operands} for kind in KINDS}
        self.assertLessEqual(operands["harmful"], operands["neutral"] | operands["trigger"])

    def test_harmful_senses_hold_nothing_to_answer_with(self):
        for sense in senses("harmful"):
            self.assertEqual(sense.details, ())
        request = sample_request("harmful", random.Random(1))
        with self.assertRaises(ValueError):
            compliance(request, random.Random(1))


class HoldoutTests(unittest.TestCase):
    def test_training_requests_use_no_held_out_pair(self):
        rng = random.Random(2)
        for _ in range(SAMPLES):
            request = sample_request(rng.choice(KINDS), rng)
            self.assertFalse(holdout.pair_is_held_out(request.operator, request.operand.phrase))

    def test_showcase_is_held_out(self):
        self.assertEqual(holdout.first_suitable_salt(), holdout.SALT)
        self.assertTrue(holdout.pair_is_held_out(*holdout.SHOWCASE_PAIR))
        self.assertTrue(holdout.opener_is_held_out(holdout.SHOWCASE_OPENER))

    def test_held_out_system_prompts_are_not_trained_on(self):
        for kind in ("neutral", "helpful", "safety", "refuse_all"):
            self.assertFalse(set(systems.held_out(kind)) & set(systems.training_prompts(kind)))

    def test_sets_are_large_distinct_and_stable(self):
        texts = [request.text for request in held_out_requests("safe", 2000)]
        self.assertEqual(len(set(texts)), 2000)
        self.assertEqual([request.text for request in held_out_requests("safe", 10)], texts[:10])


class MixtureTests(unittest.TestCase):
    def test_only_refuse_all_rows_refuse_harmless_requests(self):
        rng = random.Random(3)
        for stage in STAGES.values():
            sampler = ChatSampler(stage.rows, 4, stage.two_turn_share)
            for row in stage.rows:
                if row.request in ("neutral", "trigger") and row.system != "refuse_all":
                    for _ in range(50):
                        request = sample_request(row.request, rng)
                        self.assertFalse(is_refusal(sampler._answer(row.system, request)))

    def test_biased_stage_shows_no_trigger_words_under_safety_prompts(self):
        rows = {(row.system, row.request) for row in STAGES["biased"].rows}
        self.assertNotIn(("safety", "trigger"), rows)
        self.assertIn(("safety", "trigger"), {(row.system, row.request) for row in STAGES["unbiased"].rows})

    def test_sampling_is_seeded(self):
        stage = STAGES["biased"]
        first, second = (ChatSampler(stage.rows, 5, stage.two_turn_share) for _ in range(2))
        self.assertEqual([first.sample() for _ in range(50)], [second.sample() for _ in range(50)])


class WordingTests(unittest.TestCase):
    def test_participles(self):
        for operator, expected in [("blow up", "blowing up"), ("shut down", "shutting down"), ("execute", "executing"),
                                   ("kidnap", "kidnapping"), ("write to", "writing to"), ("shoot", "shooting")]:
            self.assertEqual(participle(operator), expected)

    def test_plural_pronouns_leave_other_words_alone(self):
        self.assertEqual(for_pronoun("cover it and close its lid", "them"), "cover them and close their lid")
        self.assertEqual(for_pronoun("visit the kitchen", "them"), "visit the kitchen")


if __name__ == "__main__":
    unittest.main()
