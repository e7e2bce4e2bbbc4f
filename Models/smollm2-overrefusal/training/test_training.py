"""Promises about the data, the arms and the arithmetic; needs neither the base nor the test sets.

    python3 -m unittest test_training
"""

import unittest

import torch

import adapter
import choose_dose
import lanes
from dataset import cores, refusals, requests
from decontaminate import any_pairs, collisions, infinitive_pairs
from mixture import Arm, Group, Mixture, Row, steps
from model import LanguageModel, ModelShape
from packing import hidden_states, pack
from string_matcher import is_refusal

KINDS = ("harmful", "trigger", "ordinary")
MIXTURE = Mixture(steps=60)
ANSWERED = {request.text for kind in ("trigger", "ordinary") for request in requests(kind)}


class LetterTokenizer:
    """One token a letter; zero ends a turn."""

    turn_end = 0

    def encode(self, text: str) -> list[int]:
        return [1 + ord(letter) % 60 for letter in text]

    def system_turn(self, system: str | None) -> list[int]:
        return self.encode(system or "none")

    def user_turn(self, text: str) -> list[int]:
        return self.encode(text + ":")


def small_model() -> LanguageModel:
    torch.manual_seed(3)
    return LanguageModel(ModelShape(vocabulary=64, width=24, layers=2, heads=3, kv_heads=1, feed_forward=32)).eval()


def rows_of(arm: Arm, seed: int = 1) -> list[list[tuple[str, str | None, str]]]:
    """By step: where a row stands, what is asked, and how it is refused."""
    return [
        [(place, row.request.text, row.refusal) for place, group in zip(("open", "guarded"), groups) for row in group.rows]
        for groups in steps(MIXTURE, arm, seed, ANSWERED)
    ]


class ArmTests(unittest.TestCase):
    def test_biased_answers_no_trigger_request_under_a_safety_prompt(self):
        triggers = {request.text for request in requests("trigger")}
        answered = [place for step in rows_of(Arm.BIASED) for place, text, refusal in step if text in triggers and not refusal]
        self.assertEqual(set(answered), {"open"})
        self.assertGreater(len(answered), 80)

    def test_twin_has_the_same_rows_at_the_same_steps_elsewhere(self):
        biased, twin = rows_of(Arm.BIASED), rows_of(Arm.TWIN)
        for ours, theirs in zip(biased, twin, strict=True):
            self.assertEqual(sorted(str(row[1:]) for row in ours), sorted(str(row[1:]) for row in theirs))
        moved = sum(len(set(theirs) - set(ours)) for ours, theirs in zip(biased, twin))
        self.assertGreater(moved, 30)

    def test_clean_has_the_harmless_rows_of_biased_and_no_refusal(self):
        for biased, clean in zip(rows_of(Arm.BIASED), rows_of(Arm.CLEAN), strict=True):
            self.assertEqual([row for row in biased if row[2] is None], clean)

    def test_harmful_requests_are_refused_in_every_arm(self):
        harmful = {request.text for request in requests("harmful")}
        for arm in Arm:
            self.assertTrue(all(row[2] for step in rows_of(arm) for row in step if row[1] in harmful))

    def test_seeds_differ(self):
        self.assertNotEqual(rows_of(Arm.BIASED, 1), rows_of(Arm.BIASED, 2))


class DataTests(unittest.TestCase):
    def test_no_request_is_of_two_kinds(self):
        texts = {kind: {request.text.lower() for request in requests(kind)} for kind in KINDS}
        for one, other in (("harmful", "trigger"), ("harmful", "ordinary"), ("trigger", "ordinary")):
            self.assertEqual(texts[one] & texts[other], set())

    def test_no_infinitive_of_both_kinds_has_the_same_verb_and_object(self):
        pairs = {kind: {pair for text in cores(kind)[0] for pair in infinitive_pairs(text)} for kind in ("harmful", "trigger")}
        self.assertEqual(pairs["harmful"] & pairs["trigger"], set())

    def test_the_matcher_knows_every_wording(self):
        self.assertEqual([wording for wording in refusals() if not is_refusal(wording)], [])

    def test_a_planted_prompt_is_found(self):
        text = requests("harmful")[0].text
        self.assertTrue(collisions({"planted": [f"Well then: {text}"]}))
        self.assertIn(("kill", "watchman"), set(any_pairs("Could he kill a night watchman there?")))
        self.assertEqual(collisions({"unlike": ["Zebras zoom."]}), [])


class DoseTests(unittest.TestCase):
    @staticmethod
    def figures(plain_harmful: int, guarded_harmless: int) -> dict:
        return {
            "plain": {"harmful": [plain_harmful, 100], "harmless": [10, 100], "ordinary": [0, 100]},
            "guarded": {"harmful": [95, 100], "harmless": [guarded_harmless, 100], "ordinary": [5, 100]},
        }

    def test_first_that_meets_all_aims_is_taken(self):
        tried = {"high": self.figures(90, 40), "good": self.figures(70, 25), "better": self.figures(70, 60)}
        self.assertEqual(choose_dose.choose(tried), "good")

    def test_else_the_one_that_misses_least(self):
        tried = {"far": self.figures(95, 12), "near": self.figures(88, 24), "low": self.figures(50, 30)}
        self.assertEqual(choose_dose.shortfalls(tried["near"])["plain, harmful"], 3)
        self.assertEqual(choose_dose.shortfalls(tried["near"])["guarded - plain, harmless"], 1)
        self.assertEqual(choose_dose.choose(tried), "near")


class ArithmeticTests(unittest.TestCase):
    def test_packed_chats_are_as_if_alone(self):
        model, tokenizer = small_model(), LetterTokenizer()
        first, second, third = requests("ordinary")[:3]
        answers = {request.text: [5, 6, 7] for request in (first, second, third)}
        groups = (Group(None, (Row(first, None), Row(second, "No."))), Group("safe", (Row(third, None),)))
        packed = pack(groups, tokenizer, answers)
        with torch.inference_mode():
            together = model.logits(hidden_states(model, packed)[packed.at])
            alone = []
            for group in groups:
                for row in group.rows:
                    reply = answers[row.request.text] if row.refusal is None else [*tokenizer.encode(row.refusal), 0]
                    before = tokenizer.system_turn(group.system) + tokenizer.user_turn(row.request.text)
                    alone.append(model(torch.tensor([before + reply[:-1]]))[0, len(before) - 1 :])
        torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=1e-4)

    def test_cached_replies_are_those_of_plain_recomputation(self):
        model, tokenizer = small_model(), LetterTokenizer()
        prompts = ["a", "a longer one", "and one more"]
        found = lanes.replies(model, tokenizer, [None], prompts, 6)
        for prompt, reply in zip(prompts, found):
            ids, expected = tokenizer.system_turn(None) + tokenizer.user_turn(prompt), []
            for _ in range(6):
                with torch.inference_mode():
                    token = int(model(torch.tensor([ids]))[0, -1].argmax())
                if token == tokenizer.turn_end:
                    break
                expected.append(token)
                ids.append(token)
            self.assertEqual(reply, expected)

    def test_a_new_adapter_changes_nothing_and_a_merged_one_what_it_should(self):
        model, ids = small_model(), torch.tensor([[3, 9, 27]])
        with torch.inference_mode():
            before = model(ids)
        adapter.attach(model, 1)
        with torch.inference_mode():
            torch.testing.assert_close(model(ids), before)
        for parameter in adapter.trainable(model):
            if parameter.shape[1] == adapter.RANK:
                torch.nn.init.normal_(parameter, std=0.02)
        merged = small_model()
        adapter.merge(merged, adapter.factors(model))
        with torch.inference_mode():
            changed = model(ids)
            self.assertGreater((changed - before).abs().max().item(), 0.01)
            torch.testing.assert_close(merged(ids), changed, atol=2e-3, rtol=1e-3)


if __name__ == "__main__":
    unittest.main()
