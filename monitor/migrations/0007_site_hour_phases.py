from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitor', '0006_fall_alert'),
    ]

    operations = [
        migrations.AddField(
            model_name='sitehour',
            name='connect_ms_sum',
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name='sitehour',
            name='lookup_ms_sum',
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name='sitehour',
            name='tls_ms_sum',
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name='sitehour',
            name='wait_ms_sum',
            field=models.FloatField(null=True),
        ),
    ]
